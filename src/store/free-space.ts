/** Checks for free space before a download. */
import { statfs } from "node:fs/promises";
import { PulleyError } from "../support/errors.ts";
import { exactBytes } from "./files.ts";

/** The result of `statfs`: block size in bytes, all blocks, those free for users, inodes. */
export interface FileSystem {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export type StatFileSystem = (path: string) => Promise<FileSystem>;

export const systemStatfs: StatFileSystem = (path) => statfs(path);

/** Bytes that stay free, for records and for everybody else: this many, or a hundredth of a small file system. */
const reserve = 64 * 1024 * 1024;

/** @throws PulleyError `DISK_FULL` */
export async function ensureRoom(root: string, bytes: number, stat: StatFileSystem): Promise<void> {
  const { bsize, blocks, bavail } = await stat(root);
  const free = bavail * bsize;
  const spare = Math.min(reserve, Math.ceil((blocks * bsize) / 100));
  if (bytes === 0 || bytes + spare <= free) return;
  throw new PulleyError(
    "DISK_FULL",
    `${exactBytes(bytes)} and a reserve of ${exactBytes(spare)} are needed, but ${root} has only ${exactBytes(free)} free`,
  );
}
