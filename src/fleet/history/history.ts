/**
 * The history of a fleet: which items were found when, and when they were gone. Times are milliseconds since the epoch,
 * those of the runs; days are those of UTC.
 */
import type { ItemWorkload, Severity } from "../items/item.ts";
import type { FleetReport } from "../report.ts";
import type { WorkloadCount } from "../score.ts";

export interface History {
  /**
   * Records a run whole or not at all. Runs of several programs at once come one after the other, and none is lost. What
   * a run says of an item counts only if it is younger than what is known of the item, so a run that is recorded twice,
   * or late, changes nothing.
   * @throws PulleyError `HISTORY_FAILED`, `HISTORY_UNREACHABLE`, `HISTORY_INVALID`
   */
  record(run: HistoryRun): Promise<Recorded>;
  /** Open ones first, the worst first among them; then those that were fixed, the latest first. Throws as `record`. */
  items(filter: HistoryFilter): Promise<readonly HistoryItem[]>;
  /** What a trend is made of, from the day on in which `since` is. Throws as `record`. */
  facts(question: FactsQuestion): Promise<TrendFacts>;
  close(): Promise<void>;
}

export interface HistoryRun {
  readonly report: FleetReport;
  readonly at: number;
  /** The only ones that were read; empty: all. */
  readonly namespaces: readonly string[];
  readonly workloads: readonly WorkloadCount[];
  /** Milliseconds for which what was fixed is kept; what is open always is. */
  readonly keep: number;
}

export interface Recorded {
  /** By the id of each item in the report. */
  readonly firstSeen: ReadonlyMap<string, number>;
  /** What this run no longer found, from the worst to the least. */
  readonly fixed: readonly HistoryItem[];
}

export interface HistoryItem {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly title: string;
  readonly image: string | null;
  /** Of an item that is in no cluster, an exemption that nothing uses: those that were looked at. */
  readonly clusters: readonly string[];
  readonly workloads: readonly ItemWorkload[];
  readonly teams: readonly string[];
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When it was found for the last time after it had been gone; else the same as `firstSeen`. */
  readonly openedAt: number;
  /** The first run that read its clusters whole, looked for its kind, and did not find it; `null`: it is open. */
  readonly fixedAt: number | null;
  /** How often it was found anew: 1, unless it came back. */
  readonly openings: number;
}

export interface HistoryFilter {
  readonly state?: "open" | "fixed" | undefined;
  /** What was found or fixed since then. */
  readonly since?: number | undefined;
  readonly team?: string | undefined;
  readonly kind?: string | undefined;
  readonly cluster?: string | undefined;
}

export interface FactsQuestion {
  readonly since: number;
  /** Whether openings are told by team: then one is there once for each of its teams. */
  readonly byTeam: boolean;
}

export interface TrendFacts {
  readonly openings: readonly OpeningsOfDay[];
  /** Each change of a cluster's number of workloads, the oldest first. */
  readonly workloads: readonly WorkloadChange[];
  /** Day of the first run; `null` where there is none. */
  readonly firstDay: number | null;
}

/** Openings that agree in all of this. Days count from the epoch. */
export interface OpeningsOfDay {
  readonly opened: number;
  /** `null`: still open */
  readonly closed: number | null;
  readonly severity: Severity;
  /** `null`: nobody's, or not told by team */
  readonly team: string | null;
  readonly count: number;
  /** Milliseconds until they were fixed, all together; 0 while they are open. */
  readonly duration: number;
}

export interface WorkloadChange extends WorkloadCount {
  readonly day: number;
}

/** The report, joined with what its history knows: since when each item is known, and what is no longer there. */
export function withHistory(report: FleetReport, { firstSeen, fixed }: Recorded): FleetReport {
  return {
    ...report,
    items: report.items.map((item) => ({ ...item, firstSeen: timeText(firstSeen.get(item.id)) })),
    fixed: fixed.map(({ id, kind, severity, title, clusters, teams, firstSeen: since }) => ({
      id,
      kind,
      severity,
      title,
      clusters,
      teams,
      firstSeen: new Date(since).toISOString(),
    })),
  };
}

function timeText(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
