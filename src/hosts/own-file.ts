/**
 * The `hosts.toml` files that Pulley itself has written, to send containerd to its mirror. They hold for containerd: were
 * Pulley to go by them, it would ask itself. For Pulley, what was there before holds.
 */
import { closeSync, constants, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { hasErrno } from "../support/errors.ts";

export const hostsFileName = "hosts.toml";

/** Where a file that was there before is kept. */
export const keptFileName = "hosts.toml.before-pulley";

/** The first line of a file that Pulley has written. */
export const marker = "# Written by pulley node setup containerd, and removed by it with --undo.";

/** The second line, where the folder was made for the file. */
export const folderMarker = "# Its folder was made for it.";

/** The file that counts for Pulley. */
export function fileIn(folder: string): string {
  const file = join(folder, hostsFileName);
  return isOurs(file) ? join(folder, keptFileName) : file;
}

/** Whether there would be no folder without Pulley, or nothing in it. */
export function isOnlyOurs(folder: string): boolean {
  if (!isOurs(join(folder, hostsFileName)) || existsSync(join(folder, keptFileName))) return false;
  return !readdirSync(folder).some((name) => /\.(?:crt|cert)$/.test(name));
}

export function isOurs(file: string): boolean {
  return beginningOf(file).startsWith(`${marker}\n`);
}

export function hasOwnFolder(file: string): boolean {
  return beginningOf(file).startsWith(`${marker}\n${folderMarker}\n`);
}

function beginningOf(path: string): string {
  const bytes = Buffer.alloc(marker.length + folderMarker.length + 2);
  let file: number;
  try {
    // A pipe in the place of the file must not be waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENXIO")) return "";
    throw error;
  }
  try {
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, 0));
  } catch {
    return "";
  } finally {
    closeSync(file);
  }
}
