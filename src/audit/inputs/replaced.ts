/** Finds the images in a folder's manifests that a kustomization or Skaffold replaces. */
import { type Dirent, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { longestConfigFile, readInputBytes } from "../../support/input-file.ts";
import { itemsAt, readValues, textAt, type Value, valueAt } from "../../workload/index.ts";
import type { ReplacedImages } from "../placeholders.ts";
import { isFile, isForManifests, kustomizationFiles } from "./walk.ts";

const deepest = 100;
const skaffoldFile = /^skaffold(?:[.-][\w.-]+)?\.ya?ml$/;

/** The images that one file replaces, and the folders, with all below them, in which it does so. */
interface ImageReplacement {
  readonly file: string;
  readonly names: readonly string[];
  /** The folder of the file, and those of its resources. */
  readonly folders: readonly string[];
}

export interface ReplacedOptions {
  readonly isDeep?: boolean;
  /** Folders of kustomizations that were built: their images are known. */
  readonly seen?: ReadonlySet<string>;
}

/**
 * Returns for each file of a folder which images are replaced in it. Never throws; a file that cannot be read is
 * skipped.
 */
export function replacedImagesBelow(
  folder: string,
  { isDeep = true, seen = new Set() }: ReplacedOptions = {},
): (file: string) => ReplacedImages | undefined {
  const all = [...replacingBelow(folder, isDeep ? deepest : 0)].filter((each) => !isSeen(each, seen));
  if (all.every(({ names }) => names.length === 0)) return () => undefined;
  const known = new Map<string, ReplacedImages>();
  return (file) => {
    const own = dirname(file);
    const answer = known.get(own) ?? Object.fromEntries(all.flatMap((each) => entriesFor(own, each, all)));
    known.set(own, answer);
    return answer;
  };
}

function isSeen({ file }: ImageReplacement, seen: ReadonlySet<string>): boolean {
  return kustomizationFiles.includes(basename(file)) && seen.has(dirname(file));
}

function entriesFor(folder: string, each: ImageReplacement, all: readonly ImageReplacement[]): [string, string][] {
  return each.names.length > 0 && reached(each, all).some((other) => isWithin(folder, other))
    ? each.names.map((name) => [name, each.file])
    : [];
}

/** The folders of a kustomization, of its bases, and so on. */
function reached(each: ImageReplacement, all: readonly ImageReplacement[]): readonly string[] {
  const folders = new Set(each.folders);
  for (const folder of folders) {
    for (const other of all) if (dirname(other.file) === folder) for (const next of other.folders) folders.add(next);
  }
  return [...folders];
}

function isWithin(folder: string, other: string): boolean {
  return folder === other || other === "." || folder.startsWith(`${other}/`);
}

function* replacingBelow(folder: string, depth: number): Generator<ImageReplacement> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 0 && isForManifests(entry.name)) yield* replacingBelow(path, depth - 1);
    } else if (kustomizationFiles.includes(entry.name) && isFile(folder, entry)) {
      yield* readWith(kustomization, path);
    } else if (skaffoldFile.test(entry.name) && isFile(folder, entry)) {
      yield* readWith(skaffold, path);
    }
  }
}

function readWith(read: (value: Value, file: string) => ImageReplacement, file: string): readonly ImageReplacement[] {
  try {
    const text = readInputBytes(file, { limit: longestConfigFile }).toString("utf8");
    return readValues(text, file).values.map((value) => read(value, file));
  } catch {
    return [];
  }
}

function kustomization(value: Value, file: string): ImageReplacement {
  const folder = dirname(file);
  const bases = ["resources", "bases", "components"].flatMap((key) => itemsAt(value, key));
  const paths = bases.flatMap((item) => {
    const path = textAt(item) ?? "";
    return path === "" || path.includes("://") || path.startsWith("/") ? [] : join(folder, path);
  });
  const names = itemsAt(value, "images").flatMap((item) => textAt(item, "name") ?? []);
  return { file, names, folders: [folder, ...paths.map((path) => path.replace(/\/$/, ""))] };
}

function skaffold(value: Value, file: string): ImageReplacement {
  const builds = [value, ...itemsAt(value, "profiles")].flatMap((each) => valueAt(each, "build") ?? []);
  const names = builds.flatMap((build) => itemsAt(build, "artifacts")).flatMap((item) => textAt(item, "image") ?? []);
  return { file, names, folders: [dirname(file)] };
}
