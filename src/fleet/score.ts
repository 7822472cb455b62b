/**
 * The score of a team or a fleet: 100 where nothing is open, and less the more there is to do for each workload.
 *
 * Each open item has points by its severity. The score is the share of the workloads in workloads and points together:
 * `100 × workloads / (workloads + points)`. So a team with as many critical items as workloads has 50, and ten times the
 * workloads with ten times the items have the same score.
 */
import type { Severity } from "./items/item.ts";
import { type Team, teamOf } from "./teams.ts";
import type { Cluster } from "./types.ts";

/** A critical item counts as much as two high ones, five medium ones or twenty low ones. */
const points: Readonly<Record<Severity, number>> = { critical: 1, high: 0.5, medium: 0.2, low: 0.05 };

/** From 0 to 100, a whole number; 100 only where nothing is open. `null` where there is no workload. */
export function score(open: Readonly<Record<Severity, number>>, workloads: number): number | null {
  if (workloads === 0) return null;
  const sum =
    open.critical * points.critical + open.high * points.high + open.medium * points.medium + open.low * points.low;
  if (sum === 0) return 100;
  return Math.min(99, Math.round((100 * workloads) / (workloads + sum)));
}

/** How many workloads of a cluster are one team's. */
export interface WorkloadCount {
  readonly cluster: string;
  /** `null`: nobody's */
  readonly team: string | null;
  readonly workloads: number;
}

/** Those that are none are left out. */
export function workloadCounts(clusters: readonly Cluster[], teams: readonly Team[]): readonly WorkloadCount[] {
  return clusters.flatMap(({ name, workloads }) => {
    const counts = new Map<string | null, number>();
    for (const workload of workloads) {
      const team = teamOf(teams, workload)?.name ?? null;
      counts.set(team, (counts.get(team) ?? 0) + 1);
    }
    return [...counts].map(([team, count]) => ({ cluster: name, team, workloads: count }));
  });
}
