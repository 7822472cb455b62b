/** Reads one kustomization: its bases, its patches, and the images that it replaces. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { longestConfigFile, readInputBytes } from "../../../support/input-file.ts";
import { decodeTextLoosely } from "../../../support/text-bytes.ts";
import {
  itemsAt,
  type MappingValue,
  readValues,
  type ScalarValue,
  type SourceText,
  textAt,
  type Value,
  valueAt,
} from "../../../workload/index.ts";
import { kustomizationFile } from "../walk.ts";

export interface Kustomization {
  /** Path of its file, relative as the folder was given. */
  readonly file: string;
  readonly folder: string;
  /** The folder, with symbolic links resolved. */
  readonly realFolder: string;
  readonly text: SourceText;
  /** A component is built only as a part of others. */
  readonly isComponent: boolean;
  /** Folders of its bases. */
  readonly bases: readonly string[];
  /** Files that change other objects: patches, replacements, transformer configurations. */
  readonly changes: readonly string[];
  readonly images: readonly ImageChange[];
  /** A remote base or file: an address on the network. */
  readonly remote: string | undefined;
  /** Whether it renders charts, which needs helm. */
  readonly needsHelm: boolean;
}

/** An entry of `images`. */
export interface ImageChange {
  /** Where it is in its object: `images[0]`. */
  readonly path: string;
  readonly value: MappingValue;
  readonly name: string;
  readonly newName: ScalarValue | undefined;
  readonly newTag: ScalarValue | undefined;
  readonly digest: ScalarValue | undefined;
  readonly tagSuffix: ScalarValue | undefined;
}

/** Reads the kustomization of a folder; `undefined` where there is none, or none that can be read. Never throws. */
export function readKustomization(folder: string): Kustomization | undefined {
  const name = kustomizationFile(folder);
  if (name === undefined) return undefined;
  const file = join(folder, name);
  try {
    const { text, values } = readValues(decodeTextLoosely(readInputBytes(file, { limit: longestConfigFile })), file);
    const [value] = values;
    return value === undefined || !isKustomization(value) ? undefined : kustomizationOf(value, folder, text);
  } catch {
    return undefined;
  }
}

/** Flux has a kind of the same name, and its files may have the same name. */
export function isKustomization(value: Value): boolean {
  const group = textAt(value, "apiVersion") ?? "kustomize.config.k8s.io/v1beta1";
  return value.kind === "mapping" && group.startsWith("kustomize.config.k8s.io/");
}

/** The entries of `images`; what is no mapping is left out. */
export function imageChanges(value: Value): readonly ImageChange[] {
  return itemsAt(value, "images").flatMap((item, index) =>
    item.kind !== "mapping"
      ? []
      : {
          path: `images[${index}]`,
          value: item,
          name: textAt(item, "name") ?? "",
          newName: scalarAt(item, "newName"),
          newTag: scalarAt(item, "newTag"),
          digest: scalarAt(item, "digest"),
          tagSuffix: scalarAt(item, "tagSuffix"),
        },
  );
}

function kustomizationOf(value: Value, folder: string, text: SourceText): Kustomization {
  const resources = ["resources", "bases", "components", ...plugins].flatMap((key) => textsIn(value, key));
  const changes = [
    ...["patchesStrategicMerge", "transformers", "generators", "validators"].flatMap((key) => textsIn(value, key)),
    ...["patches", "patchesJson6902", "replacements"].flatMap((key) =>
      itemsAt(value, key).flatMap((item) => textAt(item, "path") ?? []),
    ),
  ];
  const isHere = (path: string) => !path.includes("\n") && existsSync(join(folder, path));
  const settings = resources.filter(isHere).flatMap((path) => settingsIn(join(folder, path)));
  const loads = [value, ...settings].map((each) => loadsOf(each, isHere));
  return {
    file: text.file,
    folder,
    realFolder: realpathSync(folder),
    text,
    isComponent: textAt(value, "kind") === "Component",
    bases: resources
      .filter((path) => isHere(path) && isFolder(join(folder, path)))
      .map((path) => join(folder, path).replace(/\/$/, "")),
    changes: changes.filter((path) => isHere(path) && !isFolder(join(folder, path))).map((path) => join(folder, path)),
    images: imageChanges(value),
    remote: loads.find(({ remote }) => remote !== undefined)?.remote,
    needsHelm: loads.some(({ needsHelm }) => needsHelm),
  };
}

function textsIn(value: Value, key: string): string[] {
  const keys = value.kind === "mapping" ? [...value.entries.keys()].filter((each) => lower(each) === lower(key)) : [];
  return keys.flatMap((each) => itemsAt(value, each)).flatMap((item) => textAt(item) ?? []);
}

/** The plugin configurations in a file; empty where it cannot be read, or is a folder. */
function settingsIn(file: string): readonly Value[] {
  if (isFolder(file)) return [];
  try {
    const text = decodeTextLoosely(readInputBytes(file, { limit: longestConfigFile }));
    return /\bkind\W{1,9}\w+(?:Transformer|Generator)\b/i.test(text) ? readValues(text, file).values : [];
  } catch {
    return [];
  }
}

function scalarAt(value: Value, key: string): ScalarValue | undefined {
  const found = valueAt(value, key);
  return found?.kind === "scalar" ? found : undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export class KustomizationGraph {
  readonly #known = new Map<string, Kustomization | undefined>();

  /** The kustomization of a folder, read once. */
  at(folder: string): Kustomization | undefined {
    if (!this.#known.has(folder)) this.#known.set(folder, readKustomization(folder));
    return this.#known.get(folder);
  }

  /** A kustomization and all of its bases, itself first. */
  chain(top: Kustomization): readonly Kustomization[] {
    const chain = new Map([[top.folder, top]]);
    for (const { bases } of chain.values()) {
      for (const folder of bases) {
        const base = this.at(folder);
        if (base !== undefined && !chain.has(folder)) chain.set(folder, base);
      }
    }
    return [...chain.values()];
  }

  /** Those that are no base of another one. In a cycle of kustomizations, all count. */
  tops(all: readonly Kustomization[]): readonly Kustomization[] {
    const below = new Set(all.flatMap((each) => this.chain(each).filter((other) => other !== each)));
    return all.filter((each) => !below.has(each) || this.chain(each).some(({ bases }) => bases.includes(each.folder)));
  }
}

// What kustomize would fetch, or have helm inflate, to build one kustomization.

/**
 * Keys whose items may be folders, which kustomize clones where they are remote (`api/internal/target/kusttarget.go`).
 */
const accumulated = new Set(["resources", "bases", "components", "transformers", "generators", "validators"]);

/**
 * Keys whose strings are file paths, which kustomize fetches where they are URLs (`api/internal/loader/fileloader.go`).
 */
const loaded = new Set(
  ["crds", "configurations", "patches", "patchesStrategicMerge", "path", "paths", "files", "envs", "env"].map(lower),
);

/** Keys whose items may be inline plugin configurations, which load files themselves. */
const plugins: readonly string[] = ["transformers", "generators", "validators"];

/** Mappings with free keys. */
const free = new Set(["commonAnnotations", "commonLabels", "annotations", "labels", "options"].map(lower));

/** What needs helm: `helmCharts`, and a generator of the kind `HelmChartInflationGenerator`. */
const helm = /^helmchart(?:s|inflationgenerator)$/;

interface Loads {
  /** An address on the network. */
  readonly remote: string | undefined;
  readonly needsHelm: boolean;
}

/**
 * Reads a kustomization, or a plugin configuration.
 *
 * @param isHere whether a path leads to something in the kustomization's folder
 */
function loadsOf(value: Value, isHere: (path: string) => boolean): Loads {
  let remote: string | undefined;
  let needsHelm = false;
  const look = (key: string, each: Value): void => {
    if (free.has(key)) return;
    if (helm.test(key)) needsHelm ||= each.kind === "sequence" && each.items.length > 0;
    if (each.kind === "mapping") for (const [name, own] of each.entries) look(lower(name), own);
    if (each.kind === "sequence") for (const item of each.items) look(key, item);
    if (each.kind !== "scalar" || typeof each.value !== "string") return;
    if (key === "kind") needsHelm ||= helm.test(lower(each.value));
    if (plugins.includes(key) && each.value.includes("\n")) {
      for (const own of readValues(each.value, "-").values) look("", own);
    }
    remote ??= addressIn(key, each.value, isHere);
  };
  look("", value);
  return { remote, needsHelm };
}

function addressIn(key: string, text: string, isHere: (path: string) => boolean): string | undefined {
  if (text.includes("\n")) return undefined;
  if (accumulated.has(key)) return isAddress(text) || (isRepository(text) && !isHere(text)) ? text : undefined;
  if (!loaded.has(key)) return undefined;
  // `name=path`; an address may have a `=` of its own.
  return [text, text.slice(text.indexOf("=") + 1)].find((path) => isAddress(path));
}

/** Remote even where a folder has the same name: a URL, the short name of a host (`api/internal/git/repospec.go`). */
function isAddress(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:(?:\/\/|:)|git@|gh:|(?:www\.)?github\.com[/:])/i.test(path);
}

function isRepository(path: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)+[/:]|[?&](?:ref|version)=|\.git(?:\/|$)/i.test(path);
}

/** Go ignores the case of keys. */
function lower(text: string): string {
  return text.toLowerCase();
}
