/** Replaces the content of a file atomically: a reader sees the old or the new one. */
import { randomBytes } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { access, constants, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorText, hasErrno, isPulleyError, PulleyError } from "../../support/errors.ts";
import { decodeTextLoosely } from "../../support/text-bytes.ts";

/** The state of a file when it was checked. */
export interface FileState {
  /** As given by the user, for messages. */
  readonly file: string;
  /** With all symbolic links resolved. */
  readonly path: string;
  readonly stats: BigIntStats;
}

/**
 * Checks that a file still has the text that was read from it, byte for byte.
 * @throws PulleyError `INPUT_UNREADABLE` if it has changed, is not UTF-8, or cannot be read
 */
export async function expectText(file: string, text: string): Promise<FileState> {
  try {
    const path = await realpath(file);
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) throw unreadable(`${file} is not a regular file`, "Name the file itself.");
    const bytes = await readFile(path);
    if (bytes.equals(Buffer.from(text, "utf8"))) return { file, path, stats };
    throw decodeTextLoosely(bytes) === text
      ? unreadable(`${file} is not all UTF-8, so it cannot be written back unchanged`, "Save it as UTF-8 first.")
      : unreadable(`${file} has changed since it was read`, "Run the command again.");
  } catch (error) {
    if (isPulleyError(error)) throw error;
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}

/**
 * Writes the new text to a file beside it and renames that. Keeps the file's mode, and its owner where that is
 * allowed. Returns what could not be kept, one sentence each.
 * @throws PulleyError `OUTPUT_UNWRITABLE`; `INPUT_UNREADABLE` if the file has changed. Then nothing is left behind.
 */
export async function replaceFile(state: FileState, text: string): Promise<readonly string[]> {
  const { file, path, stats } = state;
  const temporary = join(dirname(path), `.pulley-${randomBytes(8).toString("hex")}`);
  try {
    await access(path, constants.W_OK);
    const keepsOwner = await writeLike(stats, temporary, text);
    if (!isSame(stats, await stat(path, { bigint: true }))) {
      throw unreadable(`${file} has changed since it was read`, "Run the command again.");
    }
    await rename(temporary, path);
    return notesOn(state, keepsOwner);
  } catch (error) {
    await rm(temporary, { force: true });
    if (isPulleyError(error)) throw error;
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${file}: ${errorText(error)}`, { cause: error });
  }
}

/** Returns whether the new file has the owner of the old one. */
async function writeLike(stats: BigIntStats, path: string, text: string): Promise<boolean> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text, "utf8");
    const own = await handle.stat({ bigint: true });
    const isOwn = own.uid === stats.uid && own.gid === stats.gid;
    const keepsOwner = isOwn || (await given(handle.chown(Number(stats.uid), Number(stats.gid))));
    // A file that now has another owner must not run with that owner's rights.
    await handle.chmod(Number(stats.mode) & (keepsOwner ? 0o7777 : 0o777));
    await handle.sync();
    return keepsOwner;
  } finally {
    await handle.close();
  }
}

async function given(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (hasErrno(error, "EPERM", "EINVAL", "ENOSYS")) return false;
    throw error;
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.dev === other.dev &&
    one.ino === other.ino &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs
  );
}

function notesOn({ file, stats }: FileState, keepsOwner: boolean): string[] {
  const others = Number(stats.nlink) - 1;
  return [
    ...(keepsOwner ? [] : [`${file} now belongs to the user who ran this: its owner could not be kept`]),
    ...(others > 0 ? [`${file} had other names (hard links), which keep the old text: ${others}`] : []),
  ];
}

function unreadable(message: string, advice: string): PulleyError {
  return new PulleyError("INPUT_UNREADABLE", message, { advice });
}
