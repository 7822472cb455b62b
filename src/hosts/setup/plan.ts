/** Which files send containerd to Pulley's mirror, and what it takes to write them or to take them back. */
import { existsSync, linkSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { putFile } from "../../support/atomic-file.ts";
import { errnoOf, errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { readConfigFile } from "../../support/input-file.ts";
import { defaultFolder } from "../folders.ts";
import { folderMarker, hasOwnFolder, hostsFileName, isOurs, keptFileName, marker } from "../own-file.ts";

export interface SetupChange {
  /** The `hosts.toml`. */
  readonly path: string;
  readonly kind: "write" | "rewrite" | "keep-and-write" | "unchanged" | "restore" | "remove" | "leave";
  /** What is there now, and what will be. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Why it is left as it is. */
  readonly because?: string;
}

export interface SetupPlanOptions {
  /** Where containerd looks. */
  readonly root: string;
  /** Names of registries, or `_default` for all that have no folder of their own. */
  readonly registries: readonly string[];
  /** Address of the mirror. */
  readonly mirror: string;
  /** Whether the registry itself is not to be asked where the mirror has failed. */
  readonly only: boolean;
}

/** @throws PulleyError `OUTPUT_UNWRITABLE` where another file than the one that was kept stands in the way */
export function planSetup({ root, registries, mirror, only }: SetupPlanOptions): readonly SetupChange[] {
  return registries.map((registry): SetupChange => {
    const folder = folderOf(root, registry);
    const [path, kept] = [join(folder, hostsFileName), join(folder, keptFileName)];
    const before = textOf(path);
    const ours = before !== undefined && isOurs(path);
    const ownFolder = ours ? hasOwnFolder(path) : !existsSync(folder);
    const after = setupText({ mirror, only, ownFolder });
    if (before === undefined) return { path, kind: "write", before, after };
    if (ours) return { path, kind: before === after ? "unchanged" : "rewrite", before, after };
    if (existsSync(kept) && !isSameFile(path, kept)) {
      throw new PulleyError("OUTPUT_UNWRITABLE", `${kept} is kept from before, and ${path} is another file since`, {
        advice: "Decide which of the two is to be kept, and remove the other.",
      });
    }
    return { path, kind: "keep-and-write", before, after };
  });
}

/** @param registries none: all that there are */
export function planUndo(root: string, registries: readonly string[]): readonly SetupChange[] {
  const names = registries.length > 0 ? registries.map((name) => folderOf(root, name)) : foldersIn(root);
  return names.flatMap((folder): readonly SetupChange[] => {
    const [path, kept] = [join(folder, hostsFileName), join(folder, keptFileName)];
    const before = textOf(path);
    const keptText = textOf(kept);
    if (before !== undefined && isOurs(path)) {
      return [{ path, kind: keptText === undefined ? "remove" : "restore", before, after: keptText }];
    }
    if (keptText === undefined) return [];
    // Taken away by hand meanwhile: what was there before comes back; another file of somebody's is not touched.
    if (before === undefined) return [{ path, kind: "restore", before, after: keptText }];
    return [
      { path, kind: "leave", before, after: before, because: `it is not Pulley's; what was there before is ${kept}` },
    ];
  });
}

/** Each step leaves containerd a whole file, the old one or the new one. @throws PulleyError `OUTPUT_UNWRITABLE` */
export function carryOut({ path, kind, after }: SetupChange): void {
  const folder = join(path, "..");
  const kept = join(folder, keptFileName);
  try {
    switch (kind) {
      case "keep-and-write":
        if (!existsSync(kept)) linkSync(path, kept);
        putFile(path, after ?? "");
        return;
      case "write":
      case "rewrite":
        putFile(path, after ?? "");
        return;
      case "restore":
        renameSync(kept, path);
        return;
      case "remove": {
        const ownFolder = hasOwnFolder(path);
        rmSync(path);
        if (ownFolder && readdirSync(folder).length === 0) rmdirSync(folder);
        return;
      }
      case "unchanged":
      case "leave":
        return;
    }
  } catch (cause) {
    if (isPulleyError(cause)) throw cause;
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${errnoOf(cause) ?? errorText(cause)}`, {
      cause,
    });
  }
}

/** Folders beside `_default` that hide it, so that their registries are not set up by it. */
export function hidingFolders(root: string, registries: readonly string[]): readonly string[] {
  if (!registries.includes(defaultFolder)) return [];
  const own = new Set(registries.map((registry) => folderOf(root, registry)));
  return foldersIn(root).filter((folder) => !own.has(folder) && !isOurs(join(folder, hostsFileName)));
}

/** Without `server`, containerd asks a registry as it always does where the mirror has failed. */
function setupText({
  mirror,
  only,
  ownFolder,
}: Pick<SetupPlanOptions, "mirror" | "only"> & { readonly ownFolder: boolean }): string {
  // A file without a table of a host is one that containerd 1.6 refuses ("invalid `host` tree").
  const host = [`[host.${JSON.stringify(mirror)}]`, '  capabilities = ["pull", "resolve"]'];
  const lines = only ? [`server = ${JSON.stringify(mirror)}`, "", ...host] : host;
  return `${[marker, ...(ownFolder ? [folderMarker] : []), "", ...lines].join("\n")}\n`;
}

/** A folder that is there under either of its names is used; a new one has the name that comes first. */
function folderOf(root: string, registry: string): string {
  const folder = join(root, registry.replace(/:([0-9]+)$/, "_$1_"));
  const other = join(root, registry);
  return !existsSync(folder) && existsSync(other) ? other : folder;
}

function foldersIn(root: string): readonly string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .map((name) => join(root, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
}

function textOf(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return readConfigFile(path).toString("utf8");
  } catch (cause) {
    if (cause instanceof PulleyError) throw cause;
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${path}: ${errnoOf(cause) ?? errorText(cause)}`, { cause });
  }
}

function isSameFile(one: string, other: string): boolean {
  const [first, second] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
  return first.dev === second.dev && first.ino === second.ino;
}
