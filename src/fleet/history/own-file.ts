/** The file of a history tells what is wrong in clusters, so it is for its user alone. */
import { closeSync, constants, lstatSync, mkdirSync, openSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, errorText, PulleyError } from "../../support/errors.ts";
import { throughOwnLinks } from "../../support/own-links.ts";

/**
 * Makes the file if it is not there, with mode 0600, and the folders above it with 0700.
 * @returns its path without links
 * @throws PulleyError `OUTPUT_UNWRITABLE`, also if it, its folder or a link on the way is somebody else's
 */
export function makeOwnFile(given: string): string {
  const path = throughOwnLinks(given);
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseStranger(folder, lstatSync(folder), given);
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    const found = lstatSync(path);
    if (!found.isFile()) throw unwritable(given, "it is not a file", undefined);
    refuseStranger(path, found, given);
    return path;
  } catch (cause) {
    if (cause instanceof PulleyError) throw cause;
    throw unwritable(given, errnoOf(cause) ?? errorText(cause), cause);
  }
}

function refuseStranger(what: string, { uid }: Stats, given: string): void {
  const self = process.geteuid?.();
  if (self === undefined || uid === self || uid === 0) return;
  throw unwritable(given, `${what} is somebody else's (user ${uid})`, undefined);
}

function unwritable(path: string, why: string, cause: unknown): PulleyError {
  return new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, { cause });
}
