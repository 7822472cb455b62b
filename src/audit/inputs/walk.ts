/** What is in a folder and the folders below it. */
import { type Dirent, existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export const chartFile = "Chart.yaml";
export const kustomizationFiles: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Folders inside each other, so that no folder can lead on for ever. */
const deepest = 100;

export type Found =
  | { readonly kind: "file"; readonly path: string; readonly mayBePatch: boolean }
  | { readonly kind: "chart"; readonly path: string }
  | { readonly kind: "unreadable"; readonly path: string; readonly error: unknown };

export interface WalkOptions {
  /** Whether a folder with a chart is one thing; otherwise its files are told as all others. */
  readonly findCharts: boolean;
}

/**
 * The manifests (`.yaml`, `.yml`, `.json`) and charts of a folder, in the order of their names. Hidden folders,
 * `node_modules` and links are left out: what a link leads to is elsewhere, and would come twice.
 */
export function* walk(folder: string, options: WalkOptions): Generator<Found> {
  yield* walkBelow(folder, options, false, 0);
}

/** The name of the kustomization in a folder, if it has one. */
export function kustomizationFile(folder: string): string | undefined {
  return kustomizationFiles.find((name) => existsSync(join(folder, name)));
}

function* walkBelow(folder: string, options: WalkOptions, isPatched: boolean, depth: number): Generator<Found> {
  let entries: Dirent[];
  try {
    if (depth > deepest) throw new Error(`there are more than ${deepest} folders inside each other`);
    entries = readdirSync(folder, { withFileTypes: true }).toSorted(byName);
  } catch (error) {
    yield { kind: "unreadable", path: folder, error };
    return;
  }
  if (options.findCharts && entries.some((entry) => entry.name === chartFile && entry.isFile())) {
    yield { kind: "chart", path: folder };
    return;
  }
  const mayBePatch = isPatched || entries.some(({ name }) => isKustomization(name));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isForManifests(entry.name)) yield* walkBelow(path, options, mayBePatch, depth + 1);
    } else if (entry.isFile() && (/\.(?:ya?ml|json)$/i.test(entry.name) || isKustomization(entry.name))) {
      yield { kind: "file", path, mayBePatch };
    }
  }
}

/** The folders in a folder that have a kustomization, those in charts left out. */
export function kustomizationFolders(folder: string, options: WalkOptions): readonly string[] {
  const files = [...walk(folder, options)].flatMap((found) => (found.kind === "file" ? found.path : []));
  return [...new Set(files.filter((path) => isKustomization(basename(path))).map((path) => dirname(path)))];
}

function isKustomization(name: string): boolean {
  return kustomizationFiles.includes(name);
}

/** Whether a folder of this name is looked into. */
export function isForManifests(name: string): boolean {
  return !name.startsWith(".") && name !== "node_modules";
}

function byName(one: Dirent, other: Dirent): number {
  return one.name < other.name ? -1 : 1;
}
