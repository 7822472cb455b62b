/** What kustomize would fetch, or have helm inflate, to build one kustomization. */
import { readValues, type Value } from "../../../workload/index.ts";

/** Whose items may be folders, which kustomize clones where they are elsewhere (`api/internal/target/kusttarget.go`). */
const accumulated = new Set(["resources", "bases", "components", "transformers", "generators", "validators"]);

/** Whose texts are paths of files, which kustomize gets where they are addresses (`api/internal/loader/fileloader.go`). */
const loaded = new Set(
  ["crds", "configurations", "patches", "patchesStrategicMerge", "path", "paths", "files", "envs", "env"].map(lower),
);

/** Whose items may be written out in place: settings of plugins, which load files themselves. */
export const plugins: readonly string[] = ["transformers", "generators", "validators"];

/** What has words of its own choice as its keys. */
const free = new Set(["commonAnnotations", "commonLabels", "annotations", "labels", "options"].map(lower));

/** What only helm can make: `helmCharts`, and a generator of the kind `HelmChartInflationGenerator`. */
const helm = /^helmchart(?:s|inflationgenerator)$/;

export interface Loads {
  /** An address on the network. */
  readonly remote: string | undefined;
  readonly needsHelm: boolean;
}

/**
 * Reads it from a kustomization, or from the settings of a plugin.
 *
 * @param isHere whether a path leads to something in the kustomization's folder
 */
export function loadsOf(value: Value, isHere: (path: string) => boolean): Loads {
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

/** What is asked for even where a folder is called so: an address, a host's short name (`api/internal/git/repospec.go`). */
function isAddress(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:(?:\/\/|:)|git@|gh:|(?:www\.)?github\.com[/:])/i.test(path);
}

function isRepository(path: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)+[/:]|[?&](?:ref|version)=|\.git(?:\/|$)/i.test(path);
}

/** Go reads keys whatever their case is. */
export function lower(text: string): string {
  return text.toLowerCase();
}
