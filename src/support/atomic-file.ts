/** Files that are there whole or not at all. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf, errorText, hasErrno, PulleyError } from "./errors.ts";

/** Who may do what with a file. */
export interface FileAccess {
  readonly mode: number;
  /** Of the folders that are made for it. */
  readonly folderMode: number;
  /** Absent: whoever writes it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const everybody: FileAccess = { mode: 0o644, folderMode: 0o755 };

/**
 * Makes a file that is not there yet, and the folders above it.
 * @throws PulleyError `OUTPUT_UNWRITABLE`, also if there is something of this name already
 */
export function createFile(path: string, text: string): void {
  withTemporary(path, text, everybody, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      if (hasErrno(error, "EEXIST"))
        throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: it exists already`);
      throw error;
    }
  });
}

/** Makes a file, or gives it another content in one step. @throws PulleyError `OUTPUT_UNWRITABLE` */
export function putFile(path: string, text: string, access = everybody): void {
  withTemporary(path, text, access, (temporary) => renameSync(temporary, path));
}

function withTemporary(
  path: string,
  text: string,
  { mode, folderMode, owner }: FileAccess,
  place: (temporary: string) => void,
): void {
  const folder = dirname(path);
  const temporary = join(folder, `.pulley-${randomBytes(8).toString("hex")}`);
  try {
    mkdirSync(folder, { recursive: true, mode: folderMode });
    const file = openSync(temporary, "wx", 0o600);
    try {
      // One `writeSync` may write less than all of it, on a disk that is nearly full.
      writeFileSync(file, text);
      if (owner !== undefined) giveTo(file, owner);
      fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    place(temporary);
  } catch (cause) {
    if (cause instanceof PulleyError) throw cause;
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${errnoOf(cause) ?? errorText(cause)}`, {
      cause,
    });
  } finally {
    rmSync(temporary, { force: true });
  }
}

function giveTo(file: number, { uid, gid }: NonNullable<FileAccess["owner"]>): void {
  const made = fstatSync(file);
  if (made.uid !== uid || made.gid !== gid) fchownSync(file, uid, gid);
}
