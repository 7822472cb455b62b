/** One tag that runs as several digests: across the pods of a workload, across nodes, across clusters. */
import { canonicalText, familiarText } from "../../image/index.ts";
import { plural, shellWord } from "../../support/format.ts";
import type { RunningTag } from "../running.ts";
import type { WorkloadRecord } from "../types.ts";
import { type Findings, type FleetItem, itemOf, listed, named, type Severity, workloadsOf } from "./item.ts";
import { areByPlatform, type RunningDigest, type TagVerdict, verdictOf } from "./tag-verdict.ts";

export function mixedDigests({ tags, upstream }: Findings): readonly FleetItem[] {
  return [...tags].flatMap(([key, tag]) => {
    const verdict = verdictOf(tag, upstream?.images.get(key));
    return verdict.kind === "mixed" ? [itemFor(tag, verdict)] : [];
  });
}

function itemFor({ reference }: RunningTag, { digests, now }: TagVerdict & { readonly kind: "mixed" }): FleetItem {
  const workloads = workloadsOf(digests.flatMap(({ copies }) => [...copies.workloads]));
  const isKnown = now !== undefined;
  const byPlatform = !isKnown && areByPlatform(digests);
  const name = familiarText(reference);
  const isNowhere = isKnown && digests.every(({ standing }) => standing === "older");
  return itemOf(
    "mixed-digests",
    [canonicalText(reference)],
    {
      severity: byPlatform ? "low" : severityOf(digests),
      title: `${name} runs as ${digests.length} different digests`,
      advice: byPlatform
        ? "Each digest is on nodes of another architecture, so these may be platforms of one image: compare them with the tag."
        : "Pin the image by digest, or roll out anew with Always, so that all replicas run the same.",
    },
    {
      clusters: [...new Set(workloads.map(({ cluster }) => cluster))],
      workloads,
      image: name,
      details: [...digests.map(copiesLine), ...(isNowhere ? [`the tag has another one now: ${now}`] : [])],
      command: `pulley outdated ${shellWord(name)}`,
    },
  );
}

/** `sha256:…, older than the tag: 3 containers of Deployment shop/web, on eu/node-1` */
export function copiesLine({ digest, copies, standing, isGone }: RunningDigest): string {
  const { containers, nodes, workloads } = copies;
  const users = `${plural(containers, "container")} of ${listed([...workloads].map(named), 3)}`;
  const where = nodes.size === 0 ? "" : `, on ${listed(nodes, 4)}`;
  const gone = isGone ? "; the registry does not have it any more" : "";
  return `${digest}${standingWords[standing]}: ${users}${where}${gone}`;
}

const standingWords: Readonly<Record<RunningDigest["standing"], string>> = {
  current: ", which the tag has now",
  older: ", older than the tag",
  unknown: "",
};

/** Replicas of one workload that differ are worse than workloads or clusters that do. The platforms of one image do not. */
function severityOf(digests: readonly RunningDigest[]): Severity {
  const seen = new Map<WorkloadRecord, string>();
  for (const { digest, copies, standing } of digests) {
    const image = standing === "current" ? "current" : digest;
    for (const workload of copies.workloads) {
      if (seen.has(workload) && seen.get(workload) !== image) return "high";
      seen.set(workload, image);
    }
  }
  return "medium";
}
