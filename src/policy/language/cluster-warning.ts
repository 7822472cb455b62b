/** What a policy says of clusters, where no cluster has a name. */
import type { Problem } from "../../workload/problem.ts";
import type { Policy } from "./types.ts";

/** What matches nothing because no cluster's name was given. */
export function clusterWarnings({ documents }: Policy): readonly Problem[] {
  return documents.flatMap(({ name, source, selector, rules, exemptions }) => {
    const matches = [{ id: `${name}/selector`, source, match: selector }, ...rules, ...exemptions];
    return matches.flatMap(({ id, source: at, match }): Problem[] => {
      if (match?.clusters === undefined) return [];
      const text = match.clusters.map((pattern) => pattern.text).join(", ");
      const message = `${id}: ${text}: it matches nothing, for no cluster's name is known; give it with --cluster`;
      return [{ source: at, message }];
    });
  });
}
