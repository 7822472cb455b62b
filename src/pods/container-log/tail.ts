import type { FileHandle } from "node:fs/promises";
import { readEntry } from "./format.ts";

const blockSize = 64 * 1024;
const lineBreak = 0x0a;
/** Bytes of one entry; runtimes break lines at 16 KiB. */
export const longestEntry = 256 * 1024;

/** Where the last `count` lines of a log begin; entries that make up one line count once. Reads from the end. */
export async function tailOffset(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  if (count <= 0) return size;
  let left = count;
  /** What was read so far, from `start` on, up to the line break that was found last. */
  let rest = Buffer.alloc(0);
  let start = size;
  let lastSeen = false;
  while (start > 0) {
    const length = Math.min(blockSize, start);
    const block = Buffer.alloc(length);
    await file.read(block, 0, length, start - length);
    start -= length;
    rest = Buffer.concat([block, rest]);
    if (rest.length > longestEntry + blockSize) rest = rest.subarray(0, longestEntry + blockSize);
    for (let end = rest.lastIndexOf(lineBreak); end >= 0; end = rest.lastIndexOf(lineBreak)) {
      const before = end === 0 ? -1 : rest.lastIndexOf(lineBreak, end - 1);
      if (before < 0 && start > 0) break;
      const entry = readEntry(rest.subarray(before + 1, end));
      // The entry that ends here is the end of a line: what follows it is a line of its own.
      if (lastSeen && entry?.partial !== true) {
        left -= 1;
        if (left === 0) return start + end + 1;
      }
      lastSeen = true;
      rest = rest.subarray(0, end);
      if (before < 0) break;
    }
  }
  return 0;
}
