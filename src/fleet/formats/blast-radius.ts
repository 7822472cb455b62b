/** The blast radius of a registry, for people, spreadsheets and pull requests. */

import { csvCell, markdownCell, markdownTable } from "../../support/cells.ts";
import { plural } from "../../support/format.ts";
import { hanging, type Paint, printable } from "../../support/terminal.ts";
import type { BlastRadius, DependentWorkload, Outcome } from "../blast-radius.ts";

const titles: Readonly<Record<Outcome, string>> = {
  none: "Cannot start a container, not even where they run",
  copies: "Start only on nodes that have a copy",
  safe: "Safe",
};

interface View {
  readonly paint: Paint;
  readonly width: number;
}

/** The worst first, and the sums last. */
export function blastRadiusLines(radius: BlastRadius, view: View): string[] {
  const { workloads } = radius;
  const sections = (["none", "copies", "safe"] as const).flatMap((outcome) => {
    const own = workloads.filter((workload) => workload.outcome === outcome);
    if (own.length === 0) return [];
    return [view.paint("bold", titles[outcome]), ...own.flatMap((workload) => workloadLines(workload, view)), ""];
  });
  return [...sections, ...hanging("", printable(summaryOf(radius)), view.width)];
}

function summaryOf({ registry, counts, workloads }: BlastRadius): string {
  const { none, copies, safe } = counts;
  const sums = [`${none} cannot start`, `${copies} only where copies are`, `${safe} safe`].join(", ");
  const count = plural(workloads.length, "workload");
  return `If ${registry} is down: ${count}${workloads.length === 0 ? " would notice" : `: ${sums}`}`;
}

/** RFC 4180, one workload a line. */
export function blastRadiusCsv({ workloads }: BlastRadius): string[] {
  const header = ["cluster", "kind", "namespace", "name", "outcome", "pods", "nodes", "startsOn", "images", "advice"];
  const rows = workloads.map(({ cluster, kind, namespace, name, outcome, pods, nodes, startsOn, images, advice }) => [
    cluster,
    kind,
    namespace,
    name,
    outcome,
    String(pods),
    String(nodes),
    startsOn.join("; "),
    images.map(({ container, image, pullPolicy }) => `${container}: ${image} (${pullPolicy})`).join("; "),
    advice.join("; "),
  ]);
  return [header, ...rows].map((row) => row.map(csvCell).join(","));
}

/** A table for a pull request or a chat: what is safe is only counted. */
export function blastRadiusMarkdown(radius: BlastRadius): string[] {
  const rows = radius.workloads
    .filter(({ outcome }) => outcome !== "safe")
    .map(({ cluster, kind, namespace, name, outcome, nodes, startsOn, advice }) => {
      const where = outcome === "none" ? "nowhere" : `${startsOn.length} of ${plural(nodes, "node")}`;
      return [`${kind} ${namespace}/${name}`, cluster, where, advice.join("; ")];
    });
  const title = `**${markdownCell(summaryOf(radius))}**`;
  if (rows.length === 0) return [title];
  return [title, "", ...markdownTable(["workload", "cluster", "could start on", "to be safe"], rows)];
}

function workloadLines(workload: DependentWorkload, { paint, width }: View): string[] {
  const { kind, namespace, name, cluster, pods, outcome, nodes, startsOn, images, advice } = workload;
  const where = outcome === "copies" ? `; on ${startsOn.length} of ${plural(nodes, "node")}: ${some(startsOn)}` : "";
  const head = `${kind} ${namespace}/${name} in ${cluster}, ${pods === 0 ? "no pod now" : plural(pods, "pod")}${where}`;
  return [
    ...hanging("  ", printable(head), width),
    ...images.flatMap(({ container, image, pullPolicy, because }) =>
      hanging("    ", paint("dim", printable(`${container}, ${image}, ${pullPolicy}: ${because}`)), width),
    ),
    ...advice.flatMap((each) => hanging("    ", printable(`To be safe: ${each}.`), width)),
  ];
}

function some(names: readonly string[]): string {
  const most = 5;
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(", ")} and ${rest} more` : names.join(", ");
}
