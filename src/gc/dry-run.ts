import { manifestLimit, parseManifest } from "../image/index.ts";
import type { ImageStore, StoredImage } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { collectableStore } from "./collectable-store.ts";
import type { CollectableStore } from "./types.ts";

/**
 * A store that only pretends to remove images, for dry runs. The bytes that an image would free are those of
 * the content that no other one needs; as blocks are not counted here, the disk may gain somewhat more.
 */
export async function dryRunStore(store: ImageStore): Promise<CollectableStore> {
  const real = collectableStore(store);
  const contents = new Map<string, ReadonlyMap<string, number>>();
  const neededBy = new Map<string, number>();
  for (const image of await store.images()) {
    const content = await contentOf(store, image);
    contents.set(image.id, content);
    for (const digest of content.keys()) neededBy.set(digest, (neededBy.get(digest) ?? 0) + 1);
  }
  let freed = 0;
  return {
    images: async () => (await real.images()).filter(({ id }) => contents.has(id)),
    remove: async (id) => {
      const content = contents.get(id);
      if (content === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `${id} is not in the store`);
      contents.delete(id);
      let own = 0;
      for (const [digest, size] of content) {
        const left = (neededBy.get(digest) ?? 0) - 1;
        neededBy.set(digest, left);
        if (left === 0) own += size;
      }
      freed += own;
      return own;
    },
    disk: async () => {
      const disk = await real.disk();
      return { ...disk, available: Math.min(disk.capacity, disk.available + freed) };
    },
    used: async () => {
      const used = await real.used();
      return used === undefined ? undefined : Math.max(0, used - freed);
    },
  };
}

/** The digests that an image consists of, with their sizes. Of an image whose manifest is damaged, that is all that is known. */
async function contentOf(store: ImageStore, { id, manifest, repoTags, repoDigests }: StoredImage) {
  const content = new Map<string, number>([[manifest.digest, manifest.size]]);
  for (const name of [...repoTags, ...repoDigests]) {
    const target = (await store.record(name))?.target;
    if (target !== undefined) content.set(target.digest, target.size);
  }
  try {
    const document = parseManifest(await store.read(manifest.digest, manifestLimit), manifest.mediaType);
    if (document.kind !== "manifest") return content;
    content.set(id, document.config.size);
    for (const { digest, size } of document.layers) content.set(digest, size);
  } catch (error) {
    if (!isPulleyError(error)) throw error;
  }
  return content;
}
