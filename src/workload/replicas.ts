/** How many pods the controllers make of a template on one node, and what they call them. */
import type { ManifestDocument } from "./documents.ts";
import { generatedName, templateHash } from "./pod-names.ts";
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
