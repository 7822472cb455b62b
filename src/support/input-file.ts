/**
 * Reading what is named as a file. A pipe without a writer would be waited for without end, and a device may never end,
 * so neither is read: only what a shell has opened for this program (`/dev/stdin`, `/dev/fd/63` of `<(…)`) may be one.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { errnoOf, PulleyError } from "./errors.ts";

/** A path that is one of this process's own descriptors. */
const ownDescriptor = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** Bytes of one input, a file or what comes on standard input. */
export const longestInput = 64 * 1024 * 1024;

/** Bytes of a file of configuration: what people write by hand is shorter. */
export const longestConfigFile = 1024 * 1024;

const pieceSize = 64 * 1024;

/** Whether a word of a command line names a file or a folder: it exists, ends like a manifest or begins like a path. */
export function isInputPath(word: string): boolean {
  if (/\.(ya?ml|json|txt)$/i.test(word) || /^\.{0,2}[/\\]/.test(word) || isAbsolute(word)) return true;
  try {
    return statSync(word, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // What may not be looked at is there; what no file can be called is not.
    return errnoOf(error) === "EACCES";
  }
}

export interface InputFileRules {
  /** Most bytes that it may have. */
  readonly limit: number;
  /** Whether somebody who typed the path may mean a pipe that the shell has opened. */
  readonly mayBePipe?: boolean;
}

/**
 * All bytes of a file, never more than the limit.
 * @throws PulleyError `INPUT_UNREADABLE` if it is no file, or too long; otherwise what the file system throws
 */
export function readInputBytes(path: string, { limit, mayBePipe = false }: InputFileRules): Buffer {
  const most = limit >= 1024 * 1024 ? `${limit / 1024 / 1024} MiB` : `${limit} bytes`;
  return readWithin(path, limit, mayBePipe && ownDescriptor.test(path), () => {
    throw new PulleyError("INPUT_UNREADABLE", `${path} is longer than ${most}`, { advice: "Split the file." });
  });
}

/**
 * A small file of configuration, certificates or keys.
 * @throws PulleyError `INPUT_UNREADABLE` if it is no file, or too long; otherwise what the file system throws
 */
export function readConfigFile(path: string, limit = longestConfigFile): Buffer {
  return readWithin(path, limit, false, (size) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path} has ${size} bytes, and may have ${limit}`, {
      advice: "Check that it is the file that is meant, and make it shorter.",
    });
  });
}

/** @param refuse called with the size of a file that is too long, as far as it is known */
function readWithin(path: string, limit: number, isOwn: boolean, refuse: (size: string) => never): Buffer {
  if (!isOwn) expectFile(statSync(path), path);
  const file = openSync(path, isOwn ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    // It may have become another between the two looks.
    if (!isOwn) expectFile(stats, path);
    if (stats.size > limit) refuse(`${stats.size}`);
    const pieces: Buffer[] = [];
    // A file may grow meanwhile, and those below /proc say that they have no length.
    for (let size = 0; ; ) {
      const piece = Buffer.allocUnsafe(pieceSize);
      const count = readSync(file, piece);
      if (count === 0) return Buffer.concat(pieces, size);
      size += count;
      if (size > limit) refuse(`more than ${limit}`);
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/** A file, opened for reading. @throws as {@link readInputBytes} */
export async function openInput(path: string, { mayBePipe = false } = {}): Promise<FileHandle> {
  if (mayBePipe && ownDescriptor.test(path)) return open(path);
  expectFile(await stat(path), path);
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/**
 * The bytes of an open file, which is closed at the end. All pieces are in the same memory, one after another: a stream
 * would take new memory for each.
 */
export async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(4 * pieceSize);
  try {
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** @throws PulleyError `INPUT_UNREADABLE` if something is no file, saying what it is */
export function expectFile(stats: Stats, path: string): void {
  if (stats.isFile()) return;
  throw new PulleyError("INPUT_UNREADABLE", `cannot read ${path}: it is ${sortOf(stats)}, and not a file`, {
    advice: "Name a file, or give it on standard input.",
  });
}

/** What something is that is no file. */
export function sortOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe (fifo)";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
