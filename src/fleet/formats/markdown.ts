/** The report for pull requests and chats. */
import { markdownCell } from "../../support/cells.ts";
import type { FleetReport } from "../report.ts";
import { sumLine } from "./text.ts";

/** A table for a pull request or a chat. */
export function fleetMarkdown(report: FleetReport): string[] {
  const { items, teams } = report;
  const line = sumLine(report);
  if (items.length === 0) return [`**${markdownCell(line)}**`];
  const teamed = teams.length > 0;
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `**${markdownCell(line)}**`,
    "",
    row(["severity", "what", "clusters", ...(teamed ? ["team"] : []), "what to do"]),
    `|${"---|".repeat(teamed ? 5 : 4)}`,
    ...items.map(({ severity, title, clusters, teams: own, advice }) =>
      row([severity, title, clusters.join(", "), ...(teamed ? [own.join(", ")] : []), advice].map(markdownCell)),
    ),
  ];
}
