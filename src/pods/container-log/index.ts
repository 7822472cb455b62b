/** Reads a container's log from the file that its runtime writes, across rotations. */
import { constants, type FileHandle, open, stat } from "node:fs/promises";
import type { Clock } from "../../support/clock.ts";
import { errorText, hasErrno, PulleyError } from "../../support/errors.ts";
import { type ContainerLogEntry, entryTime, longestEntry, readEntry, tailOffset } from "./tail.ts";

export interface LogQuery {
  /** Only the last so many lines. */
  readonly tailLines?: number | undefined;
  /** Only what was written from then on, in milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Puts the time before each line. */
  readonly timestamps?: boolean;
  /** Follows the log until the container has ended. */
  readonly follow?: boolean;
}

export interface LogReading extends LogQuery {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether the container may still write. */
  readonly running: () => boolean;
}

/** Milliseconds between two reads of a file that has nothing new. */
const lookAgain = 200;
const blockSize = 64 * 1024;
const lineBreak = Buffer.from("\n");
/** Bytes of a line in several entries that are kept until it ends; longer lines are yielded in pieces. */
const longestLine = 1024 * 1024;

/** Yields lines with their line breaks. @throws PulleyError `INPUT_UNREADABLE` */
export async function* readContainerLog(path: string, reading: LogReading): AsyncGenerator<Buffer> {
  const join = joiner(reading.timestamps === true);
  for await (const line of logLines(path, reading)) {
    const entry = readEntry(line);
    if (entry === undefined) continue;
    if (reading.since !== undefined && entryTime(entry) < reading.since) continue;
    const text = join(entry);
    if (text !== undefined) yield text;
  }
}

/** Whether there is a log to read. */
export async function isReadable(path: string): Promise<boolean> {
  try {
    await (await openLog(path)).close();
    return true;
  } catch {
    return false;
  }
}

/** Puts together what stands in several entries, stream by stream. */
function joiner(timestamps: boolean): (entry: ContainerLogEntry) => Buffer | undefined {
  const begun = new Map<ContainerLogEntry["stream"], Buffer[]>();
  return ({ stream, partial, text, time }) => {
    const pieces = begun.get(stream) ?? (timestamps ? [Buffer.from(`${time} `)] : []);
    pieces.push(text);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (partial && length < longestLine) {
      begun.set(stream, pieces);
      return undefined;
    }
    begun.delete(stream);
    // The rest of a line that is too long follows without another time in front of it.
    if (partial) begun.set(stream, []);
    else pieces.push(lineBreak);
    return Buffer.concat(pieces);
  };
}

/** The lines of the file, without their line breaks, and of those that take its place. */
async function* logLines(path: string, reading: LogReading): AsyncGenerator<Buffer> {
  const { tailLines, follow = false, clock, signal, running } = reading;
  let file = await openLog(path);
  try {
    let offset = tailLines === undefined ? 0 : await tailOffset(file, tailLines);
    let rest: Buffer = Buffer.alloc(0);
    let last = false;
    const block = Buffer.alloc(blockSize);
    while (!signal.aborted) {
      const { bytesRead } = await file.read(block, 0, blockSize, offset);
      if (bytesRead > 0) {
        offset += bytesRead;
        rest = Buffer.concat([rest, block.subarray(0, bytesRead)]);
        let start = 0;
        for (let end = rest.indexOf(lineBreak); end >= 0; end = rest.indexOf(lineBreak, start)) {
          yield rest.subarray(start, end);
          start = end + 1;
        }
        // Longer than any entry may be: it is skipped, and what is left of it is no entry.
        rest = rest.length - start > longestEntry ? Buffer.alloc(0) : rest.subarray(start);
        continue;
      }
      // What was written between the last reading and the sign that it was the last is still read.
      if (last) {
        const next = follow ? await successor(path, file) : undefined;
        if (next === undefined && !(follow && running())) return;
        if (next !== undefined) {
          await file.close();
          file = next;
          offset = 0;
          rest = Buffer.alloc(0);
        }
        last = false;
        continue;
      }
      if (!follow || !running() || (await isReplaced(path, file))) last = true;
      else if ((await file.stat()).size < offset) offset = 0;
      else await clock.sleep(lookAgain, signal).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

async function isReplaced(path: string, file: FileHandle): Promise<boolean> {
  const [there, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return there !== undefined && (there.ino !== own.ino || there.dev !== own.dev);
}

/** The file that was put in the place of one that was rotated away. */
async function successor(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  return (await isReplaced(path, file)) ? openLog(path).catch(() => undefined) : undefined;
}

/** @throws PulleyError `INPUT_UNREADABLE` */
async function openLog(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    // Not through a link, and not held up by what is no file.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    throw new Error("is not a file");
  } catch (error) {
    await file?.close();
    const problem = hasErrno(error, "ENOENT") ? "there is no such file" : errorText(error);
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${problem}`, { cause: error });
  }
}
