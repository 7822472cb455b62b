/** The images that clusters use, as registries are asked about them. */
import { type Digest, parseDigest } from "../../image/index.ts";
import type { AskedImage, UsingWorkload } from "../../versions/index.ts";
import { runningTags } from "../running.ts";
import type { Cluster } from "../types.ts";
import { imageNames, requestOf, type Use, usesByImage, usesOf } from "../uses.ts";

/** One image, however many workloads use it, and however it is written. */
export interface FleetImage extends AskedImage {
  /** Its canonical text. */
  readonly key: string;
  /** The digests that run under its tag. */
  readonly digests: readonly Digest[];
  /** Who uses it: the request of each is among its workloads, in the same order. */
  readonly uses: readonly Use[];
}

/** Those that pods run, and those of templates without pods. A name that is none is not asked about. */
export function fleetImages(clusters: readonly Cluster[]): readonly FleetImage[] {
  const nameOf = imageNames();
  const uses = clusters.flatMap((cluster) => usesOf(cluster, nameOf));
  const tags = runningTags(clusters, nameOf);
  return [...usesByImage(uses)].flatMap(([key, own]) => {
    const [first] = own;
    if (first === undefined) return [];
    const digests = [...(tags.get(key)?.digests.keys() ?? [])].map(parseDigest);
    const used = { image: first.image, workloads: own.map(userOf), places: [], platforms: [] };
    return [{ key, digests, uses: own, used }];
  });
}

function userOf(use: Use): UsingWorkload {
  const request = requestOf(use);
  const { workload, container } = request;
  const { cluster } = use.workload;
  return { workload, container, cluster, request, source: { file: cluster, line: 1, column: 1 } };
}
