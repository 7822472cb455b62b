/** What a policy says of clusters, where no cluster has a name. */
import type { Problem } from "../../workload/index.ts";
import { matchesIn } from "./matches.ts";
import type { PolicyDocument } from "./types.ts";

/** What matches nothing because no cluster's name was given. */
export function clusterWarnings(documents: readonly PolicyDocument[]): readonly Problem[] {
  return documents.flatMap(matchesIn).flatMap(({ id, source, match: { clusters } }): Problem[] => {
    if (clusters === undefined) return [];
    const text = clusters.map((pattern) => pattern.text).join(", ");
    const message = `${id}: ${text}: it matches nothing, for no cluster's name is known; give it with --cluster`;
    return [{ source, message }];
  });
}
