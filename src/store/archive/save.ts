import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import {
  canonicalText,
  configLimit,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestHex,
  familiarName,
  manifestLimit,
  ociIndex,
  parseManifest,
  parseReference,
  readImageConfig,
  withImpliedTag,
} from "../../image/index.ts";
import { decompressDetected } from "../../support/decompress.ts";
import { errorText, hasErrno, isPulleyError, PulleyError } from "../../support/errors.ts";
import type { ImageStore, Lease, StoredImage } from "../image-store.ts";
import { measureUnpacked } from "../unpacking.ts";
import { byPath, type ChosenImage, checkList, jsonBytes, opened, smallFile } from "./chosen-image.ts";
import { parseDockerList } from "./docker.ts";
import { formatTar, type TarFile } from "./tar-format.ts";

export type ArchiveFormat = "docker-archive" | "oci-archive";

/**
 * Writes images into an archive: docker's, which `docker load` and everybody else reads, its layers uncompressed; or an
 * OCI layout in a tar, byte for byte as the images are stored. The same images give the same archive.
 * @param images names, ids or beginnings of ids; an id brings none of the image's names along, as with `docker save`
 * @param destination a path, or a stream that stays open
 * @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
export async function saveArchive(
  store: ImageStore,
  images: readonly string[],
  destination: string | Writable,
  format: ArchiveFormat,
): Promise<void> {
  const lease = await store.lease();
  try {
    const chosen = await choose(store, lease, images);
    const files = format === "oci-archive" ? ociFiles(store, chosen) : await dockerFiles(store, chosen);
    await writeTo(destination, formatTar(files));
  } finally {
    await lease.release();
  }
}

async function choose(store: ImageStore, lease: Lease, texts: readonly string[]): Promise<readonly ChosenImage[]> {
  const chosen = new Map<Digest, ChosenImage>();
  for (const text of texts) {
    const image = await store.image(text);
    if (image === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `no image ${text} in the store`);
    const entry = chosen.get(image.id) ?? (await readImage(store, lease, image));
    const name = tagName(text);
    if (name !== undefined && image.repoTags.includes(name)) entry.names.add(name);
    chosen.set(image.id, entry);
  }
  return [...chosen.values()];
}

/** The normalised name with its tag, if the text is one. */
function tagName(text: string): string | undefined {
  try {
    return canonicalText(withImpliedTag(parseReference(text)));
  } catch (error) {
    if (isPulleyError(error, "REFERENCE_INVALID")) return undefined;
    throw error;
  }
}

async function readImage(store: ImageStore, lease: Lease, image: StoredImage): Promise<ChosenImage> {
  await hold(lease, image.manifest);
  const manifestBytes = await store.read(image.manifest.digest, manifestLimit);
  const manifest = parseManifest(manifestBytes, image.manifest.mediaType);
  if (manifest.kind !== "manifest") throw new PulleyError("BLOB_DAMAGED", `${image.manifest.digest} is no manifest`);
  for (const descriptor of [manifest.config, ...manifest.layers]) await hold(lease, descriptor);
  const configBytes = await store.read(manifest.config.digest, configLimit);
  const config = readImageConfig(manifest, configBytes);
  return { image, names: new Set(), manifest, config, manifestBytes, configBytes };
}

/** Keeps content from being collected while the archive is written. */
async function hold(lease: Lease, descriptor: Descriptor): Promise<void> {
  if (await lease.has(descriptor)) return;
  throw new PulleyError("BLOB_DAMAGED", `${descriptor.digest} is missing in the store`);
}

/** The files of an OCI layout (image-spec `image-layout.md`), byte for byte as the images are stored. */
function ociFiles(store: ImageStore, images: readonly ChosenImage[]): Iterable<TarFile> {
  const manifests = images.flatMap(({ image, names }) => {
    const { mediaType, digest, size } = image.manifest;
    const { os, architecture, variant } = image.platform;
    const entry = { mediaType, digest, size, platform: { architecture, os, ...(variant === "" ? {} : { variant }) } };
    return names.size === 0 ? [entry] : [...names].map((name) => ({ ...entry, annotations: nameAnnotations(name) }));
  });
  const blobs = images.flatMap(({ image, manifest, manifestBytes, configBytes }) => [
    smallFile(blobPath(image.manifest.digest), manifestBytes),
    smallFile(blobPath(manifest.config.digest), configBytes),
    ...manifest.layers.map((layer) => ({
      path: blobPath(layer.digest),
      size: layer.size,
      content: opened(store, layer),
    })),
  ]);
  const layout = smallFile("oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }));
  const index = jsonBytes({ schemaVersion: 2, mediaType: ociIndex, manifests });
  checkList(index, (bytes) => parseManifest(bytes, ociIndex));
  return byPath([layout, smallFile("index.json", index), ...blobs]);
}

/** skopeo, podman and umoci look for the one, containerd and docker for the other. */
function nameAnnotations(name: string): Readonly<Record<string, string>> {
  return { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/**
 * Writes to a stream, which stays open, or to a file, which appears under its path only when it is whole and durable.
 * @throws PulleyError `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
async function writeTo(destination: string | Writable, chunks: AsyncIterable<Buffer>): Promise<void> {
  if (typeof destination !== "string") return writeStream(destination, chunks);
  const temporary = `${destination}.${randomUUID()}.partial`;
  try {
    await writeFile(temporary, chunks);
    await attempt(destination, rename(temporary, destination));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeFile(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  const file = await attempt(path, open(path, "wx"));
  try {
    for await (const chunk of chunks) await attempt(path, file.appendFile(chunk));
    await attempt(path, file.sync());
  } finally {
    await file.close();
  }
}

async function writeStream(stream: Writable, chunks: AsyncIterable<Buffer>): Promise<void> {
  // Without a listener of its own a stream's failure would end the process before the write's callback reports it.
  const reported = () => undefined;
  stream.on("error", reported);
  try {
    for await (const chunk of chunks) await attempt("the output", writeChunk(stream, chunk));
  } finally {
    stream.off("error", reported);
  }
}

function writeChunk(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function attempt<Result>(place: string, writing: Promise<Result>): Promise<Result> {
  return writing.catch((cause: unknown) => {
    const code = hasErrno(cause, "ENOSPC", "EDQUOT") ? "DISK_FULL" : "OUTPUT_UNWRITABLE";
    throw new PulleyError(code, `${place}: ${errorText(cause)}`, { cause });
  });
}

/** The files of docker's archive, named as skopeo names them, layers uncompressed. */
async function dockerFiles(store: ImageStore, images: readonly ChosenImage[]): Promise<Iterable<TarFile>> {
  const list = jsonBytes(
    images.map(({ manifest, config, names }) => ({
      Config: `${digestHex(manifest.config.digest)}.json`,
      RepoTags: names.size === 0 ? null : [...names].map(familiarText),
      Layers: config.diffIds.map(layerPath),
    })),
  );
  checkList(list, parseDockerList);
  const layers = new Map<Digest, TarFile>();
  for (const { manifest, config } of images) {
    for (const [position, layer] of manifest.layers.entries()) {
      const diffId = config.diffIds[position];
      if (diffId !== undefined && !layers.has(diffId)) layers.set(diffId, await plainLayer(store, layer, diffId));
    }
  }
  const configs = images.map(({ manifest, configBytes }) =>
    smallFile(`${digestHex(manifest.config.digest)}.json`, configBytes),
  );
  return byPath([smallFile("manifest.json", list), ...configs, ...layers.values()]);
}

/** A tar says how long a file is before its bytes come: a layer is decompressed once to know, and once to be written. */
async function plainLayer(store: ImageStore, layer: Descriptor, diffId: Digest): Promise<TarFile> {
  const size = await measureUnpacked(opened(store, layer), layer.digest, diffId);
  return { path: layerPath(diffId), size, content: decompressDetected(opened(store, layer)) };
}

function layerPath(diffId: Digest): string {
  return `${digestHex(diffId)}.tar`;
}

function familiarText(name: string): string {
  const { repository, tag } = parseReference(name);
  return `${familiarName(repository)}:${tag}`;
}
