/** The manifests of a folder, read again when they have changed and are not being written any more. */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../../support/errors.ts";
import type { ManifestFile } from "./read.ts";

/** Bytes of one file (k8s `maxConfigLength`). */
const longestFile = 10 * 1024 * 1024;
const mostFiles = 1000;

export interface FolderScan {
  /** Names of all manifests that are there. */
  readonly names: ReadonlySet<string>;
  /** Those that are new or have changed. */
  readonly changed: readonly ManifestFile[];
  /** Why the folder or a file in it could not be read. */
  readonly problems: readonly string[];
}

export interface ManifestFolder {
  scan(): Promise<FolderScan>;
}

/** A file that is changing is left for the next scan: what is half written may be a manifest, too. */
export function manifestFolder(folder: string): ManifestFolder {
  /** The state of each file at the last scan, and when it was read. */
  const seen = new Map<string, string>();
  const read = new Map<string, string>();
  let isFirst = true;

  async function readChanged(name: string): Promise<ManifestFile | undefined> {
    const path = join(folder, name);
    // A pipe would be waited for; opened like this, it shows what it is.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return undefined;
      const look = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
      const isStill = isFirst || seen.get(name) === look;
      seen.set(name, look);
      if (!isStill || read.get(name) === look) return undefined;
      if (stat.size > longestFile) throw new Error(`it is longer than ${longestFile / 1024 / 1024} MiB`);
      const text = await file.readFile("utf8");
      read.set(name, look);
      return { name, path, text };
    } finally {
      await file.close();
    }
  }

  return {
    scan: async () => {
      const problems: string[] = [];
      let all: string[];
      try {
        all = (await readdir(folder)).filter(isManifest).toSorted();
      } catch (error) {
        // A folder that cannot be read is no reason to end what came from it.
        return { names: new Set(seen.keys()), changed: [], problems: [`${folder}: ${errorText(error)}`] };
      }
      if (all.length > mostFiles) problems.push(`${folder}: more than ${mostFiles} manifests: the others are not read`);
      const names = all.slice(0, mostFiles);
      const changed: ManifestFile[] = [];
      for (const name of names) {
        const file = await readChanged(name).catch((error: unknown) => {
          problems.push(`${join(folder, name)}: ${errorText(error)}`);
        });
        if (file) changed.push(file);
      }
      for (const name of seen.keys()) {
        if (names.includes(name)) continue;
        seen.delete(name);
        read.delete(name);
      }
      isFirst = false;
      return { names: new Set(names), changed, problems };
    },
  };
}

function isManifest(name: string): boolean {
  return !name.startsWith(".") && /\.(ya?ml|json)$/i.test(name);
}
