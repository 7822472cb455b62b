/** The report, joined with what its history knows. */
import type { FleetReport } from "../report.ts";
import type { Recorded } from "./history.ts";

/** Since when each item is known, and what is no longer there. */
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
