/** One writer at a time for a file that several programs of Pulley's read, change and write whole. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Clock, systemClock } from "./clock.ts";
import { errnoOf, errorText, hasErrno, PulleyError } from "./errors.ts";

/** Milliseconds: a change takes a few, so what is older was left behind by a program that was killed. */
const expiry = 10_000;
/** Milliseconds between two looks. */
const pause = 20;
/** Looks, about half a minute's: a lock that is held anew each time has others waiting, too. */
const mostLooks = 1_500;

/**
 * Does something while nobody else does it to the same file.
 * @param folderMode of the folders that are made for it
 * @throws PulleyError `OUTPUT_UNWRITABLE` if the lock cannot be had; and what `work` throws
 */
export async function withFileLock<T>(
  path: string,
  folderMode: number,
  work: () => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const lock = join(dirname(path), `.pulley-lock-${basename(path)}`);
  await take(lock, path, folderMode, clock);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function take(lock: string, path: string, folderMode: number, clock: Clock): Promise<void> {
  const refuse = (why: string, cause: unknown) =>
    new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, { cause });
  for (let looks = 0; ; looks += 1) {
    try {
      mkdirSync(dirname(lock), { recursive: true, mode: folderMode });
      closeSync(openSync(lock, "wx", 0o600));
      return;
    } catch (error) {
      if (!hasErrno(error, "EEXIST") || statSync(dirname(lock), { throwIfNoEntry: false })?.isDirectory() === false) {
        throw refuse(errnoOf(error) ?? errorText(error), error);
      }
      if (looks === mostLooks) throw refuse(`another program holds ${lock}`, error);
    }
    const held = statSync(lock, { throwIfNoEntry: false });
    if (held !== undefined && clock.now() - held.mtimeMs > expiry) rmSync(lock, { force: true });
    else await clock.sleep(pause);
  }
}
