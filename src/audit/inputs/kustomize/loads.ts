/** What kustomize would fetch, or have helm inflate, to build one kustomization. */
import { readValues, type Value } from "../../../workload/index.ts";

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
export const plugins: readonly string[] = ["transformers", "generators", "validators"];

/** Mappings with free keys. */
const free = new Set(["commonAnnotations", "commonLabels", "annotations", "labels", "options"].map(lower));

/** What needs helm: `helmCharts`, and a generator of the kind `HelmChartInflationGenerator`. */
const helm = /^helmchart(?:s|inflationgenerator)$/;

export interface Loads {
  /** An address on the network. */
  readonly remote: string | undefined;
  readonly needsHelm: boolean;
}

/**
 * Reads a kustomization, or a plugin configuration.
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

/** Remote even where a folder has the same name: a URL, the short name of a host (`api/internal/git/repospec.go`). */
function isAddress(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:(?:\/\/|:)|git@|gh:|(?:www\.)?github\.com[/:])/i.test(path);
}

function isRepository(path: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)+[/:]|[?&](?:ref|version)=|\.git(?:\/|$)/i.test(path);
}

/** Go ignores the case of keys. */
export function lower(text: string): string {
  return text.toLowerCase();
}
