/** Reads images from an archive of `docker save` (moby `image/spec/v1.2.md`, "Combined Image JSON + Filesystem Changeset Format"). */
import { createHash } from "node:crypto";
import {
  completePlatform,
  configLimit,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  isDigest,
  ociConfig,
  ociLayer,
  ociManifest,
  type Platform,
  parseDigest,
  parseImageConfig,
} from "../../image/index.ts";
import { type Compression, decompress, detectCompression, magicLength } from "../../support/decompress.ts";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { type JsonCursor, readJson } from "../../support/json-cursor.ts";
import { type ArchiveDocument, type ArchiveImage, readName } from "./archive-image.ts";
import type { ArchiveContent } from "./receive.ts";
import { type ArchiveFile, type ArchiveSource, invalid, readSmall, requireFile } from "./source.ts";

const listLimit = 4 * 1024 * 1024;
const mostImages = 1000;
const mostLayers = 512;
const mostTags = 1000;

/** An element of `manifest.json`: paths within the archive. */
export interface DockerEntry {
  readonly config: string;
  readonly layers: readonly string[];
  /** Normalised. */
  readonly names: readonly string[];
}

/** @throws PulleyError `ARCHIVE_INVALID` */
export async function readDockerList(source: ArchiveSource): Promise<readonly DockerEntry[]> {
  const file = await requireFile(source, "manifest.json", "the format");
  return parseDockerList(await readSmall(file, listLimit));
}

/** @throws PulleyError `ARCHIVE_INVALID` */
export function parseDockerList(bytes: Uint8Array): readonly DockerEntry[] {
  const root = readJson(bytes, { name: "manifest.json", code: "ARCHIVE_INVALID", limit: listLimit });
  return root.list(mostImages).map((here) => readEntry(here));
}

/** @throws PulleyError `ARCHIVE_INVALID`, `DIGEST_MISMATCH` where bytes are not what the config says of them */
export async function readDockerImages(
  source: ArchiveSource,
  list: readonly DockerEntry[],
  platform: Platform,
): Promise<ArchiveImage[]> {
  const images: ArchiveImage[] = [];
  for (const entry of list) images.push(await readImage(source, entry, platform));
  if (images.length === 0) throw invalid("manifest.json lists no image");
  return images;
}

function readEntry(here: JsonCursor): DockerEntry {
  const field = here.object("Config", "RepoTags", "Layers");
  const tags = field("RepoTags").optional((list) => list.list(mostTags)) ?? [];
  return {
    config: field("Config").string(),
    layers: (field("Layers").optional((list) => list.list(mostLayers)) ?? []).map((layer) => layer.string()),
    names: tags.flatMap((tag) => readName(tag.string(), tag.at) ?? []),
  };
}

async function readImage(source: ArchiveSource, entry: DockerEntry, ours: Platform): Promise<ArchiveImage> {
  const file = await requireFile(source, entry.config, "manifest.json");
  const config = readConfig(entry.config, await readSmall(file, configLimit));
  const { diffIds, platform } = parseImageConfig(config.bytes);
  if (diffIds.length !== entry.layers.length) {
    throw invalid(
      `manifest.json lists ${entry.layers.length} layers, but ${quote(entry.config)} describes ${diffIds.length}`,
    );
  }
  const layers = await readLayers(source, entry.layers, diffIds);
  const manifest = documentOf(ociManifest, Buffer.from(formatManifest(config.descriptor, layers)));
  return {
    names: entry.names,
    id: config.descriptor.digest,
    platform: completePlatform(platform, ours),
    target: manifest.descriptor,
    manifest: manifest.descriptor,
    documents: [manifest, config],
    layers,
  };
}

/** The name of a config is its digest wherever a program wrote it that knows digests: then it must be right. */
function readConfig(path: string, bytes: Buffer): ArchiveDocument {
  const announced = digestInName(path);
  if (announced === undefined) return documentOf(ociConfig, bytes);
  const config = documentOf(ociConfig, bytes, digestAlgorithm(announced));
  const found = config.descriptor.digest;
  if (found === announced) return config;
  throw new PulleyError("DIGEST_MISMATCH", `expected ${announced} for ${quote(path)}, found ${found}`);
}

/** `0123….json`, `blobs/sha512/0123…`: of which algorithm a digest is, its length tells. */
function digestInName(path: string): Digest | undefined {
  const hex = /(?:^|\/)([0-9a-f]+)(?:\.json)?$/.exec(path)?.[1];
  return ["sha256", "sha384", "sha512"].map((algorithm) => `${algorithm}:${hex}`).find(isDigest);
}

/** Looks into the layers in the order in which they lie, so that a compressed archive is read only once. */
async function readLayers(
  source: ArchiveSource,
  paths: readonly string[],
  diffIds: readonly Digest[],
): Promise<ArchiveContent[]> {
  const files = await Promise.all(paths.map((path) => requireFile(source, path, "manifest.json")));
  const layers = diffIds.flatMap((diffId, at) => (files[at] === undefined ? [] : { at, diffId, file: files[at] }));
  const read: { at: number; wanted: ArchiveContent }[] = [];
  for (const { at, diffId, file } of layers.sort((one, other) => one.file.position - other.file.position)) {
    read.push({ at, wanted: await readLayer(file, diffId) });
  }
  return read.sort((one, other) => one.at - other.at).map(({ wanted }) => wanted);
}

/** A plain layer's digest is its diff id. That of a compressed one is found by reading it, both digests at once. */
async function readLayer(file: ArchiveFile, diffId: Digest): Promise<ArchiveContent> {
  const compression = detectCompression(await file.start(magicLength));
  if (compression === undefined) {
    throw invalid(`${quote(file.path)} is compressed in a way that layers of images are not`);
  }
  if (compression === "none") {
    return { descriptor: { mediaType: ociLayer, digest: diffId, size: file.size }, file };
  }
  const digest = await hashCompressed(file, compression, diffId);
  return { descriptor: { mediaType: `${ociLayer}+${compression}`, digest, size: file.size }, file };
}

async function hashCompressed(file: ArchiveFile, compression: Compression, diffId: Digest): Promise<Digest> {
  const [outer, inner] = [createHash("sha256"), createHash(digestAlgorithm(diffId))];
  async function* counted() {
    for await (const chunk of file.chunks()) {
      outer.update(chunk);
      yield chunk;
    }
  }
  try {
    for await (const chunk of decompress(counted(), compression)) inner.update(chunk);
  } catch (error) {
    if (isPulleyError(error)) throw error;
    throw invalid(`${quote(file.path)} cannot be decompressed: ${errorText(error)}`);
  }
  const found = `${digestAlgorithm(diffId)}:${inner.digest("hex")}`;
  if (found !== diffId) {
    throw new PulleyError("DIGEST_MISMATCH", `expected ${diffId} in ${quote(file.path)}, found ${found}`);
  }
  return parseDigest(`sha256:${outer.digest("hex")}`);
}

function documentOf(mediaType: string, bytes: Buffer, algorithm: DigestAlgorithm = "sha256"): ArchiveDocument {
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function formatManifest(config: Descriptor, layers: readonly ArchiveContent[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  });
}
