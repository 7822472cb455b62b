/** What runs under which tag: the digests, and where each of them is. */
import type { Reference } from "../image/index.ts";
import { canonicalText, type ImageName } from "../image/index.ts";
import type { Cluster, WorkloadRecord } from "./types.ts";
import { isReference } from "./uses.ts";

/** Where one digest runs. */
export interface RunningCopies {
  containers: number;
  /** `eu/node-1` */
  readonly nodes: Set<string>;
  readonly workloads: Set<WorkloadRecord>;
  readonly architectures: Set<string>;
}

/** A tag without a digest, and what runs under it. */
export interface RunningTag {
  readonly reference: Reference;
  readonly digests: ReadonlyMap<string, RunningCopies>;
}

/** By the canonical text of the image: those of pods that have not ended, where the runtime says a digest. */
export function runningTags(
  clusters: readonly Cluster[],
  nameOf: (image: string) => ImageName,
): ReadonlyMap<string, RunningTag> {
  const tags = new Map<string, RunningTag & { readonly digests: Map<string, RunningCopies> }>();
  for (const { name: cluster, pods, nodes } of clusters) {
    const architectures = new Map(nodes.map(({ name, architecture }) => [name, architecture]));
    for (const { ended, node, workload, containers } of pods) {
      if (ended) continue;
      for (const { spec, digest } of containers) {
        const image = nameOf(spec.image);
        if (digest === undefined || !isReference(image) || image.digest !== undefined) continue;
        const key = canonicalText(image);
        const tag = tags.get(key) ?? { reference: image, digests: new Map<string, RunningCopies>() };
        tags.set(key, tag);
        const copies = tag.digests.get(digest) ?? none();
        tag.digests.set(digest, copies);
        copies.containers += 1;
        copies.workloads.add(workload);
        if (node !== "") note(copies, `${cluster}/${node}`, architectures.get(node) ?? "");
      }
    }
  }
  return tags;
}

function none(): RunningCopies {
  return { containers: 0, nodes: new Set(), workloads: new Set(), architectures: new Set() };
}

function note(copies: RunningCopies, node: string, architecture: string): void {
  copies.nodes.add(node);
  if (architecture !== "") copies.architectures.add(architecture);
}
