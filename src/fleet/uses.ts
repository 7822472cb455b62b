/** Which workload uses which image, from the pods that live and the templates of those that have none. */
import { canonicalText, type ImageName, type Reference, readImageName } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { pool } from "./pools.ts";
import type { Cluster, ContainerSpec, PodRecord, WorkloadRecord } from "./types.ts";

/** A container of a workload, however many pods have it. */
export interface Use {
  readonly workload: WorkloadRecord;
  readonly spec: ContainerSpec;
  readonly image: ImageName;
  /** The pods that have not ended; empty where only the template says so. */
  readonly pods: readonly PodRecord[];
}

/** Images, each parsed once. */
export function imageNames(): (image: string) => ImageName {
  const names = pool<ImageName>();
  return (image) => names(image, () => readImageName(image));
}

/**
 * Each container of each workload once for each way in which it is written: two while a new version rolls out. Where a
 * workload has pods, its template is not looked at: the pods are what admission made of it.
 */
export function usesOf({ pods, workloads }: Cluster, nameOf: (image: string) => ImageName): readonly Use[] {
  const found = new Map<WorkloadRecord, Map<ContainerSpec, PodRecord[]>>(workloads.map((each) => [each, new Map()]));
  for (const pod of pods) {
    if (pod.ended) continue;
    const specs = found.get(pod.workload);
    for (const { spec } of pod.containers) {
      const known = specs?.get(spec);
      if (known === undefined) specs?.set(spec, [pod]);
      else known.push(pod);
    }
  }
  return [...found].flatMap(([workload, specs]) => {
    const used = specs.size > 0 ? [...specs] : workload.template.map((spec) => [spec, []] as const);
    return used.map(([spec, users]) => ({ workload, spec, image: nameOf(spec.image), pods: users }));
  });
}

/** By the canonical text of the image; those whose name is none are left out. */
export function usesByImage(uses: readonly Use[]): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, Use[]>();
  for (const use of uses) {
    if (!isReference(use.image)) continue;
    const key = canonicalText(use.image);
    const known = found.get(key);
    if (known === undefined) found.set(key, [use]);
    else known.push(use);
  }
  return found;
}

/** What a policy is asked. */
export function requestOf({ workload, spec, image }: Use): ImageRequest {
  const { cluster, kind, apiVersion, namespace, name, labels, annotations } = workload;
  const asked = { apiVersion, kind: kind === "StaticPod" ? "Pod" : kind, namespace, name, labels, annotations };
  return {
    workload: asked,
    container: { name: spec.name, kind: spec.kind },
    image,
    pullPolicy: spec.pullPolicy,
    cluster,
  };
}

/** The image by name alone: what its tag, or its digest, stands for. */
export function isReference(image: ImageName): image is Reference {
  return image.kind !== "invalid";
}
