import type { Usage } from "../image-store.ts";
import { measure } from "../measure.ts";
import type { FileSystem } from "../space.ts";
import type { StorePaths } from "./paths.ts";

export async function usageOf(
  { root, blobs }: StorePaths,
  { bsize, blocks, bavail, files, ffree }: FileSystem,
): Promise<Usage> {
  const { used, inodes } = await measure(root);
  return {
    path: blobs,
    used,
    inodesUsed: inodes,
    capacity: blocks * bsize,
    available: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}
