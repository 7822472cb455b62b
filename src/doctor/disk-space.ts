import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { DiskSpace } from "./types.ts";

/** The room where a folder is, or would be made. @throws what the file system says */
export async function diskSpaceOf(folder: string): Promise<DiskSpace> {
  let existing = resolve(folder);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bsize, bavail, blocks, files, ffree } = await statfs(existing);
  return {
    folder: existing,
    free: bsize * bavail,
    total: bsize * blocks,
    freeFiles: files === 0 ? undefined : ffree,
  };
}
