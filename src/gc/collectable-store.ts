import { statfs } from "node:fs/promises";
import { parseReference } from "../image/index.ts";
import type { ImageStore, StoredImage } from "../store/index.ts";
import type { CollectableImage, CollectableStore, Disk, ImageOrigin } from "./types.ts";

/** An image store as garbage collection sees it. */
export function collectableStore(store: ImageStore): CollectableStore {
  let path: string | undefined;
  return {
    images: async () => Promise.all((await store.images()).map((image) => describe(store, image))),
    remove: async (id) => (await store.remove(id)).freed,
    disk: async () => {
      path ??= (await store.usage()).path;
      return diskAt(path);
    },
    used: async () => (await store.usage()).used,
  };
}

/** The file system that a path lies on. */
export async function diskAt(path: string): Promise<Disk> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  return { path, capacity: blocks * bsize, available: bavail * bsize, inodes: files, inodesFree: ffree };
}

/** The sources of an image: the digests that its names resolved to when it was pulled. */
async function describe(store: ImageStore, image: StoredImage): Promise<CollectableImage> {
  const { id, repoTags, repoDigests, size, pinned = false } = image;
  const names = [...repoTags, ...repoDigests];
  const sources = new Map<string, ImageOrigin>();
  for (const name of names) {
    const record = await store.record(name);
    if (record === undefined) continue;
    const { repository } = parseReference(name);
    const { digest } = record.target;
    sources.set(`${repository.name}@${digest}`, { repository, digest });
  }
  return { id, names, size, pinned, sources: [...sources.values()] };
}
