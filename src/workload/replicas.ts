/** How many pods the controllers make of a template on one node, and what they call them. */
import type { ManifestDocument } from "./documents.ts";
import type { PodTemplate } from "./templates.ts";
import { isTrueAt, numberAt, plain, textAt } from "./value.ts";

/** Pods of one template; `name` answers with the name of the one with that index, `seed` makes it random. */
export interface Replicas {
  readonly count: number;
  name(index: number, seed: string): string;
}

/** The pods of a template of an object that has been validated. Kinds that are not Kubernetes' own make one. */
export function replicasOf({ kind, root }: ManifestDocument, template: PodTemplate): Replicas {
  const name = textAt(root, "metadata", "name") ?? generatedName(textAt(root, "metadata", "generateName") ?? "", kind);
  const withSuffix = (_index: number, seed: string) => generatedName(`${name}-`, seed);
  if (template.form === "shape") return hashed(name, template, 1);
  const replicas = numberAt(root, "spec", "replicas") ?? 1;
  switch (kind) {
    case "Pod":
      return { count: 1, name: (_index, seed) => podName(root, seed) };
    case "Deployment":
      return hashed(name, template, replicas);
    case "ReplicaSet":
    case "ReplicationController":
      return { count: replicas, name: withSuffix };
    case "StatefulSet": {
      const first = numberAt(root, "spec", "ordinals", "start") ?? 0;
      return { count: replicas, name: (index) => `${name}-${first + index}` };
    }
    case "Job":
      return jobReplicas(root, name);
    case "CronJob":
      return hashed(name, template, isSuspended(root) ? 0 : 1);
    default:
      return { count: 1, name: withSuffix };
  }
}

/** Whether a Job or CronJob waits to be told to go on. */
export function isSuspended(root: ManifestDocument["root"]): boolean {
  return isTrueAt(root, "spec", "suspend");
}

function jobReplicas(root: ManifestDocument["root"], name: string): Replicas {
  const parallelism = numberAt(root, "spec", "parallelism") ?? 1;
  const completions = numberAt(root, "spec", "completions") ?? parallelism;
  const indexed = textAt(root, "spec", "completionMode") === "Indexed";
  return {
    count: isSuspended(root) ? 0 : Math.min(parallelism, completions),
    name: (index, seed) => generatedName(indexed ? `${name}-${index}-` : `${name}-`, seed),
  };
}

function podName(root: ManifestDocument["root"], seed: string): string {
  return textAt(root, "metadata", "name") ?? generatedName(textAt(root, "metadata", "generateName") ?? "", seed);
}

/** Names with the template's hash before the suffix, as a Deployment gives them through its ReplicaSet. */
function hashed(name: string, { spec, metadata }: PodTemplate, count: number): Replicas {
  const hash = templateHash(JSON.stringify([spec && plain(spec), metadata && plain(metadata)]));
  return { count, name: (_index, seed) => generatedName(`${name}-${hash}-`, seed) };
}

/** Letters and digits that make no words: without vowels, and without digits that look like letters. */
const safeLetters = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const longestGenerated = 63;

/**
 * A name from a `generateName`, cut where it would get too long. `seed` makes it random.
 * As the API server makes them up (k8s apiserver/pkg/storage/names, apimachinery/pkg/util/rand).
 */
export function generatedName(base: string, seed: string): string {
  let rest = fnv1a(seed);
  let suffix = "";
  while (suffix.length < suffixLength) {
    suffix += safeLetters[rest % safeLetters.length];
    rest = Math.floor(rest / safeLetters.length);
  }
  return base.slice(0, longestGenerated - suffixLength) + suffix;
}

/** What a Deployment puts between its own name and the suffix: the same for the same template. */
export function templateHash(template: string): string {
  return [...String(fnv1a(template))].map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length]).join("");
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function fnv1a(text: string): number {
  let result = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193);
  return result >>> 0;
}
