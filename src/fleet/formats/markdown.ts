/** The report for pull requests and chats. */
import { markdownCell, markdownTable } from "../../support/cells.ts";
import type { FleetReport } from "../report.ts";
import { sumLine } from "./text.ts";

/** A table for a pull request or a chat. */
export function fleetMarkdown(report: FleetReport): string[] {
  const { items, teams } = report;
  const line = sumLine(report);
  if (items.length === 0) return [`**${markdownCell(line)}**`];
  const teamed = teams.length > 0;
  const head = ["severity", "what", "clusters", ...(teamed ? ["team"] : []), "what to do"];
  const rows = items.map(({ severity, title, clusters, teams: own, advice }) => [
    severity,
    title,
    clusters.join(", "),
    ...(teamed ? [own.join(", ")] : []),
    advice,
  ]);
  return [`**${markdownCell(line)}**`, "", ...markdownTable(head, rows)];
}
