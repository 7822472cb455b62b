import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent } from "./files.ts";

/** Bytes of a block in `st_blocks`, whatever the file system's own blocks are (`man 7 inode`). */
const statBlock = 512;

/** Disk usage of a folder, counted file by file, with blocks, leftovers and hard links. */
export async function measure(root: string): Promise<{ used: number; inodes: number }> {
  const sizes = new Map<number, number>();
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    // What goes away meanwhile takes up nothing any more.
    const entries = (await ifPresent(readdir(folder, { withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const status = await ifPresent(lstat(path));
      if (status !== undefined) sizes.set(status.ino, status.blocks * statBlock);
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return { used: [...sizes.values()].reduce((sum, size) => sum + size, 0), inodes: sizes.size };
}
