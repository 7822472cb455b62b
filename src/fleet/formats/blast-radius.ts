/** The blast radius of a registry, for people. */

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
export function blastRadiusLines({ registry, counts, workloads }: BlastRadius, view: View): string[] {
  const sections = (["none", "copies", "safe"] as const).flatMap((outcome) => {
    const own = workloads.filter((workload) => workload.outcome === outcome);
    if (own.length === 0) return [];
    return [view.paint("bold", titles[outcome]), ...own.flatMap((workload) => workloadLines(workload, view)), ""];
  });
  const { none, copies, safe } = counts;
  const sums = [`${none} cannot start`, `${copies} only where copies are`, `${safe} safe`].join(", ");
  const summary = `If ${registry} is down: ${plural(workloads.length, "workload")}${workloads.length === 0 ? " would notice" : `: ${sums}`}`;
  return [...sections, ...hanging("", printable(summary), view.width)];
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
