/** Walks a folder and the folders below it. */
import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";

export const chartFile = "Chart.yaml";
export const kustomizationFiles: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Depth of folders, at most, so that the walk ends. */
const deepest = 100;

export type WalkedPath =
  | { readonly kind: "file"; readonly path: string; readonly mayBePatch: boolean; readonly isOutside: boolean }
  | { readonly kind: "chart"; readonly path: string }
  /** A link that is not followed; `why` is half a sentence. */
  | { readonly kind: "link"; readonly path: string; readonly why: string }
  | { readonly kind: "unreadable"; readonly path: string; readonly error: unknown };

export interface WalkOptions {
  /** Whether a folder with a chart is one result; otherwise its files are listed like all others. */
  readonly findCharts: boolean;
}

/**
 * The manifests (`.yaml`, `.yml`, `.json`) and charts of a folder, in the order of their names. Hidden folders,
 * and `node_modules` are skipped. A link to a file is read, and one to a folder is not followed, as in kubectl
 * (`cli-runtime/pkg/resource/visitor.go`); the target of a link within the folder is listed once, at its own path.
 */
export function* walk(folder: string, options: WalkOptions): Generator<WalkedPath> {
  const root = { real: realOf(folder) ?? folder, options };
  yield* walkBelow(folder, root, false, 0);
}

/** The name of the kustomization in a folder, if it has one. */
export function kustomizationFile(folder: string): string | undefined {
  return kustomizationFiles.find((name) => existsSync(join(folder, name)));
}

interface WalkRoot {
  /** With symbolic links resolved. */
  readonly real: string;
  readonly options: WalkOptions;
}

function* walkBelow(folder: string, root: WalkRoot, isPatched: boolean, depth: number): Generator<WalkedPath> {
  let entries: Dirent[];
  try {
    if (depth > deepest) throw new Error(`there are more than ${deepest} folders inside each other`);
    entries = readdirSync(folder, { withFileTypes: true }).toSorted(byName);
  } catch (error) {
    yield { kind: "unreadable", path: folder, error };
    return;
  }
  if (root.options.findCharts && entries.some((entry) => entry.name === chartFile && isFile(folder, entry))) {
    yield { kind: "chart", path: folder };
    return;
  }
  const mayBePatch = isPatched || entries.some(({ name }) => isKustomization(name));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isForManifests(entry.name)) yield* walkBelow(path, root, mayBePatch, depth + 1);
    } else if (entry.isSymbolicLink()) {
      yield* linked(path, root, mayBePatch);
    } else if (entry.isFile() && isManifest(entry.name)) {
      yield { kind: "file", path, mayBePatch, isOutside: false };
    }
  }
}

function* linked(path: string, root: WalkRoot, mayBePatch: boolean): Generator<WalkedPath> {
  const name = basename(path);
  const real = realOf(path);
  const stats = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
  if (real === undefined || stats === undefined) {
    if (isManifest(name)) yield { kind: "link", path, why: "the link leads nowhere" };
  } else if (stats.isDirectory()) {
    if (!isForManifests(name) || isWithin(real, root, isForManifests)) return;
    yield { kind: "link", path, why: "the link leads to a folder and is not followed: name the folder" };
  } else if (stats.isFile() && isManifest(name)) {
    // A kustomization means something else in another folder.
    if (!isKustomization(name) && isWithin(real, root, isManifest)) return;
    yield { kind: "file", path, mayBePatch, isOutside: relative(root.real, real).split(sep)[0] === ".." };
  }
}

/** Whether the walk reaches a path by itself. */
function isWithin(real: string, { real: root }: WalkRoot, isLast: (name: string) => boolean): boolean {
  const names = relative(root, real).split(sep);
  if (names[0] === "..") return false;
  return names.every((each, index) => each === "" || (index < names.length - 1 ? isForManifests : isLast)(each));
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Whether an entry of a folder is a file, or a link to one. */
export function isFile(folder: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const real = realOf(join(folder, entry.name));
  return real !== undefined && statSync(real, { throwIfNoEntry: false })?.isFile() === true;
}

function isManifest(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name) || isKustomization(name);
}

/** The folders with a kustomization, without those in charts. */
export function kustomizationFolders(folder: string, options: WalkOptions): readonly string[] {
  const files = [...walk(folder, options)].flatMap((found) => (found.kind === "file" ? found.path : []));
  return [...new Set(files.filter(isKustomizationFile).map((path) => dirname(path)))];
}

function isKustomization(name: string): boolean {
  return kustomizationFiles.includes(name);
}

/** Whether the path of a file ends in the name of a kustomization. */
export function isKustomizationFile(path: string): boolean {
  return isKustomization(basename(path));
}

/** Whether the walk enters a folder of this name. */
export function isForManifests(name: string): boolean {
  return !name.startsWith(".") && name !== "node_modules";
}

function byName(one: Dirent, other: Dirent): number {
  return one.name < other.name ? -1 : 1;
}
