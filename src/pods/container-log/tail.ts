import type { FileHandle } from "node:fs/promises";

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

/**
 * One entry of a container's log as CRI runtimes write it: `2024-05-01T12:00:00.123456789Z stdout F text`. `P` says that
 * the line goes on in the next entry of the same stream (k8s pkg/kubelet/kuberuntime/logs/logs.go).
 */
export interface ContainerLogEntry {
  /** RFC 3339 with nanoseconds, as it is written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly partial: boolean;
  readonly text: Buffer;
}

const blank = 0x20;

/** @param line without its line break. `undefined` if it is no entry. */
export function readEntry(line: Buffer): ContainerLogEntry | undefined {
  const afterTime = line.indexOf(blank);
  const afterStream = line.indexOf(blank, afterTime + 1);
  if (afterTime < 0 || afterStream < 0) return undefined;
  const found = line.indexOf(blank, afterStream + 1);
  // An empty line may lack the blank behind its tag.
  const afterTag = found < 0 ? line.length : found;
  const time = line.toString("latin1", 0, afterTime);
  const stream = line.toString("latin1", afterTime + 1, afterStream);
  // Tags may be several, with colons between them.
  const [tag] = line.toString("latin1", afterStream + 1, afterTag).split(":");
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P") || !isTime(time)) return undefined;
  return { time, stream, partial: tag === "P", text: line.subarray(afterTag + 1) };
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text);
}

/** Milliseconds since the epoch. */
export function entryTime({ time }: ContainerLogEntry): number {
  return Date.parse(time.replace(/(\.\d{3})\d+/, "$1"));
}
