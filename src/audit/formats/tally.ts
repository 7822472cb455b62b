/** Counts findings by severity, and sums them up in one line. */
import { plural } from "../../support/format.ts";
import type { Finding, Severity } from "../types.ts";
import type { AuditCounts } from "./format.ts";

export interface SeverityCounts {
  readonly error: number;
  readonly warning: number;
  readonly note: number;
  /** Findings of any severity that come with a fix. */
  readonly fixable: number;
}

export const severities: readonly Severity[] = ["error", "warning", "note"];

export const noFindings: SeverityCounts = { error: 0, warning: 0, note: 0, fixable: 0 };

export function countedWith(tally: SeverityCounts, { severity, fix }: Finding): SeverityCounts {
  return { ...tally, [severity]: tally[severity] + 1, fixable: tally.fixable + (fix === undefined ? 0 : 1) };
}

/** `3 errors, 2 warnings in 14 files and 2 clusters (120 containers)`; `tone` may colour the first part. */
export function summaryLine(
  tally: SeverityCounts,
  counts: AuditCounts,
  tone: (severity: Severity | undefined, text: string) => string = (_severity, text) => text,
): string {
  const found = severities
    .filter((severity) => tally[severity] > 0)
    .map((severity) => tone(severity, plural(tally[severity], severity)));
  const findings = found.length === 0 ? tone(undefined, "No findings") : found.join(", ");
  const place = `in ${inputsText(counts)} (${plural(counts.containers, "container")})`;
  const suppressed = counts.suppressed === 0 ? "" : `, ${counts.suppressed} suppressed`;
  return `${findings} ${place}${suppressed}${notSeenWords(counts.notSeen)}`;
}

/** `14 files and 2 clusters` */
export function inputsText({ files, clusters = 0 }: AuditCounts): string {
  const words = [plural(files, "file"), plural(clusters, "cluster")];
  return words.filter((_, at) => (at === 0 ? files > 0 || clusters === 0 : clusters > 0)).join(" and ");
}

/** `; not seen: 1 chart, 3 kustomizations` */
export function notSeenWords(notSeen: AuditCounts["notSeen"]): string {
  const words = (["chart", "kustomization", "link"] as const).flatMap((what) => {
    const count = notSeen.filter((each) => each.what === what).length;
    return count === 0 ? [] : plural(count, what);
  });
  return words.length === 0 ? "" : `; not seen: ${words.join(", ")}`;
}
