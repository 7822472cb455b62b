/** File operations of the store, each in the one way that is safe here. */
import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { type Digest, digestAlgorithm, digestHex } from "../image/index.ts";
import { errorText, hasErrno, isPulleyError, PulleyError } from "../support/errors.ts";
import { formatBytes } from "../support/format.ts";

/** For names that no other process and no other call chooses. */
export function randomName(): string {
  return randomBytes(8).toString("hex");
}

/** Turns file system errors into a `PulleyError`; a full disk has a code of its own. */
export async function guarded<Value>(root: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    throw asStoreFailure(root, error);
  }
}

export function asStoreFailure(root: string, error: unknown): unknown {
  if (isPulleyError(error) || !(error instanceof Error && "code" in error)) return error;
  if (hasErrno(error, "ENOSPC", "EDQUOT")) {
    return new PulleyError("DISK_FULL", `the file system of ${root} is full: ${errorText(error)}`, { cause: error });
  }
  return new PulleyError("STORE_FAILED", `the store in ${root} failed: ${errorText(error)}`, { cause: error });
}

/** Makes the names in a folder durable: without it, a file that was renamed may be gone after a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Writes a new file that only its owner may read, and makes its content durable if `durable`.
 * @param modified the time that it says it was modified, if that is not now; as durable as the content
 */
export async function writeNew(path: string, bytes: Uint8Array, durable: boolean, modified?: Date): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      if (modified !== undefined) await file.utimes(modified, modified);
      if (durable) await (modified === undefined ? file.datasync() : file.sync());
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeFile(path);
    throw error;
  }
}

export interface OpenedFile {
  readonly file: FileHandle;
  readonly size: number;
  /** As {@link FileStatus.state}. */
  readonly state: string;
}

/** Opens a regular file: neither a link nor a pipe that would keep the reader waiting. `undefined` for anything else. */
export async function openRegular(path: string): Promise<OpenedFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, "ELOOP", "EMLINK", "ENXIO")) return undefined;
    throw error;
  }
  const status = await file.stat();
  if (status.isFile()) return { file, size: status.size, state: stateOf(status) };
  await file.close();
  return undefined;
}

/** A small file's content; `undefined` if there is none, or it is no regular file, or has more than `limit` bytes. */
export async function readSmall(path: string, limit: number): Promise<Buffer | undefined> {
  const opened = await ifPresent(openRegular(path));
  if (opened === undefined) return undefined;
  try {
    return opened.size > limit ? undefined : await opened.file.readFile();
  } finally {
    await opened.file.close();
  }
}

/** The outcome, or `undefined` if there is no such file (any more). */
export async function ifPresent<Value>(outcome: Promise<Value>): Promise<Value | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Whether the file was there to be moved: of several processes that try, one gets it. */
export async function moveFile(from: string, to: string): Promise<boolean> {
  return (await ifPresent(rename(from, to).then(() => true))) ?? false;
}

/** Whether the file was there to be removed. */
export async function removeFile(path: string): Promise<boolean> {
  return (await ifPresent(unlink(path).then(() => true))) ?? false;
}

export interface FileStatus {
  readonly isFile: boolean;
  readonly isFolder: boolean;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Which file this is and how it was last changed; the same wherever the file is moved to. */
  readonly state: string;
}

/** What is under a name; a link is not followed. */
export async function fileStatus(path: string): Promise<FileStatus | undefined> {
  const status = await ifPresent(lstat(path));
  if (status === undefined) return undefined;
  return {
    isFile: status.isFile(),
    isFolder: status.isDirectory(),
    size: status.size,
    modifiedAt: status.mtimeMs,
    state: stateOf(status),
  };
}

/** As {@link FileStatus.state}. */
export function stateOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}

/** For what may have been made by another process meanwhile. */
export function unlessExisting(error: unknown): void {
  if (!hasErrno(error, "EEXIST")) throw error;
}

/** `62.5 MB (62500000 bytes)` */
export function exactBytes(bytes: number): string {
  return `${formatBytes(bytes)} (${bytes} bytes)`;
}

/** Makes a folder where there is none. It must be one itself: a link would lead writes, and collection, elsewhere. */
export async function requireFolder(path: string): Promise<void> {
  if ((await fileStatus(path)) === undefined) await mkdir(path, { mode: 0o700 }).catch(unlessExisting);
  const look = await fileStatus(path);
  if (look !== undefined && !look.isFolder) throw new PulleyError("STORE_INVALID", `${path} is not a folder`);
}

/** `sha256-0123…`: a digest as one part of a path. */
export function flatName(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}
