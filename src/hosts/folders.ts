/** Which folder speaks for a registry (containerd core/remotes/docker/config/hosts.go, config_unix.go). */
import { statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { hasErrno } from "../support/errors.ts";

/** The folder for every registry that has none of its own. */
export const defaultFolder = "_default";

/**
 * The names that a registry's folder may have, the first that exists counts: `host_port_`, `host:port` or `host`,
 * `_default`.
 */
export function folderNames(registry: string): readonly string[] {
  const colon = registry.lastIndexOf(":");
  const own = colon > 0 ? [`${registry.slice(0, colon)}_${registry.slice(colon + 1)}_`, registry] : [registry];
  return [...own, defaultFolder];
}

/** The roots in a text such as containerd's `config_path`: separated as in `PATH`, empty ones left out. */
export function splitRoots(text: string, separator: string = delimiter): readonly string[] {
  return text.split(separator).filter((root) => root !== "");
}

/**
 * The first folder that exists. A root comes before the next one with all of its names: `_default` in the first hides
 * what the second has, and an empty folder hides `_default`.
 * @param isNone whether a folder counts as missing
 * @throws the system's error if it cannot be found out whether one exists
 */
export function findFolder(
  roots: readonly string[],
  registry: string,
  isNone: (folder: string) => boolean,
): string | undefined {
  for (const root of roots) {
    for (const name of folderNames(registry)) {
      const folder = join(root, name);
      if (exists(folder) && !isNone(folder)) return folder;
    }
  }
  return undefined;
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false;
    throw error;
  }
}
