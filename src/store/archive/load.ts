import { constants } from "node:fs";
import { lstat, open, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type Digest, digestHex, type Platform } from "../../image/index.ts";
import { type ErrorCode, errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import type { ImageRecord, ImageStore, Lease } from "../image-store.ts";
import type { ArchiveImage } from "./archive-image.ts";
import { type DockerEntry, readDockerImages, readDockerList } from "./docker.ts";
import { isWhole, readLayout, readOciImages } from "./oci.ts";
import { receive } from "./receive.ts";
import { type ArchiveFile, type ArchiveSource, innerPath, invalid } from "./source.ts";
import { openTar } from "./tar-source.ts";

export interface LoadOptions {
  /** Which platform of an image that has several. */
  readonly platform: Platform;
}

export interface LoadedImage {
  readonly id: Digest;
  /** Normalised names with their tags, sorted; empty where the archive names none. */
  readonly names: readonly string[];
  readonly platform: Platform;
}

/**
 * Loads the images of an archive into the store: docker's (`docker save`) or an OCI layout, in a tar, in one in gzip or
 * zstd, or in a folder. All of an archive's images are checked before the first becomes visible.
 * @throws PulleyError `INPUT_UNREADABLE`, `ARCHIVE_INVALID`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `MANIFEST_INVALID`,
 *   `NOT_AN_IMAGE`, `PLATFORM_MISSING`, and the store's own
 */
export async function loadArchive(store: ImageStore, path: string, options: LoadOptions): Promise<LoadedImage[]> {
  return load(store, path, options).catch((error: unknown) => {
    if (!isPulleyError(error, ...faultsOfArchives)) throw error;
    const { code, advice } = error;
    throw new PulleyError(code, `${path}: ${error.message}`, { advice, cause: error });
  });
}

/** Whether an error is the archive's, and not the store's or the system's. */
const faultsOfArchives: readonly ErrorCode[] = [
  ...(["ARCHIVE_INVALID", "MANIFEST_INVALID", "MANIFEST_UNSUPPORTED", "NOT_AN_IMAGE", "PLATFORM_MISSING"] as const),
  ...(["DIGEST_INVALID", "DIGEST_MISMATCH", "SIZE_MISMATCH", "TOO_LARGE"] as const),
];

async function load(store: ImageStore, path: string, options: LoadOptions): Promise<LoadedImage[]> {
  const source = await openSource(path);
  try {
    const images = await readImages(source, options.platform);
    const lease = await store.lease();
    try {
      await bring(lease, images);
      for (const image of images) await lease.publish(recordsOf(image));
    } finally {
      await lease.release();
    }
    return images.map(({ id, names, platform }) => ({ id, names, platform }));
  } finally {
    await source.close();
  }
}

async function openSource(path: string): Promise<ArchiveSource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${errorText(cause)}`, { cause });
  });
  if (stats.isDirectory()) return openFolder(path);
  if (stats.isFile()) return openTar(path);
  throw invalid("is neither a file nor a folder");
}

/** docker writes both forms since version 25: then the layout, which has the image's own manifest, is the better one. */
async function readImages(source: ArchiveSource, platform: Platform): Promise<ArchiveImage[]> {
  const has = async (path: string) => (await source.find(path)) !== undefined;
  const isDocker = await has("manifest.json");
  const isLayout = (await has("oci-layout")) && (!isDocker || (await has("index.json")));
  if (!isLayout && !isDocker) throw invalid("has neither oci-layout nor manifest.json: it is no image archive");
  const list = isDocker ? await readDockerList(source) : [];
  const layout = isLayout ? await readLayout(source) : undefined;
  if (layout !== undefined && (!isDocker || (await isWhole(source, layout)))) {
    return merge(await readOciImages(source, layout, platform), list);
  }
  return merge(await readDockerImages(source, list, platform), []);
}

/** Images that are listed once for each name become one, and get the names that docker's list has for them. */
function merge(images: readonly ArchiveImage[], list: readonly DockerEntry[]): ArchiveImage[] {
  const merged = new Map<Digest, ArchiveImage>();
  for (const image of images) {
    const before = merged.get(image.manifest.digest);
    const listed = list.filter(({ config }) => config.includes(digestHex(image.id)));
    const names = [...(before?.names ?? []), ...image.names, ...listed.flatMap((entry) => entry.names)];
    merged.set(image.manifest.digest, { ...image, names: [...new Set(names)].sort() });
  }
  return [...merged.values()];
}

/** The layers of all images at once: so they come in the order in which they lie. */
async function bring(lease: Lease, images: readonly ArchiveImage[]): Promise<void> {
  await receive(
    lease,
    images.flatMap(({ layers }) => layers),
  );
  for (const { descriptor, bytes } of images.flatMap(({ documents }) => documents)) {
    if (!(await lease.has(descriptor))) await lease.put(descriptor, bytes);
  }
}

/** An image without a name is reported by its id. */
function recordsOf({ names, id, target, manifest, platform }: ArchiveImage): ImageRecord[] {
  return (names.length === 0 ? [id] : names).map((name) => ({ name, target, image: id, manifest, platform }));
}

const chunkSize = 256 * 1024;

/**
 * A folder that holds an OCI image layout, or what an archive of docker's unpacks to. Links are followed within it, as
 * docker has made them for layers that came before. @throws PulleyError `INPUT_UNREADABLE`
 */
async function openFolder(path: string): Promise<ArchiveSource> {
  const root = await realpath(path).catch((cause: unknown) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${errorText(cause)}`, { cause });
  });
  return { find: (inner) => findFile(root, inner), close: () => Promise.resolve() };
}

async function findFile(root: string, path: string): Promise<ArchiveFile | undefined> {
  const inner = innerPath(path);
  if (inner === undefined) throw invalid(`${quote(path)} leads out of the archive`);
  if ((await lstat(join(root, inner)).catch(() => undefined)) === undefined) return undefined;
  const full = await realpath(join(root, inner)).catch(() => undefined);
  const stats = full !== undefined && full.startsWith(root + sep) ? await lstat(full) : undefined;
  if (full === undefined || !stats?.isFile()) throw invalid(`${quote(path)} is not a regular file of the archive`);
  const found = relative(root, full);
  const { size } = stats;
  return {
    path: found,
    size,
    position: 0,
    chunks: () => readWhole(full, found, size),
    start: async (length) => {
      const file = await openNoFollow(full);
      try {
        const start = Buffer.alloc(Math.min(length, size));
        return start.subarray(0, (await file.read(start, 0, start.length, 0)).bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

async function* readWhole(full: string, path: string, size: number): AsyncIterable<Buffer> {
  const file = await openNoFollow(full);
  try {
    for (let received = 0; received < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, size - received));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, received);
      if (bytesRead === 0) throw invalid(`${quote(path)} changed while it was read`);
      received += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function openNoFollow(path: string) {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}
