/** What was found when, for people and for spreadsheets. */
import { csvCell } from "../../support/cells.ts";
import { humanDuration, plural } from "../../support/format.ts";
import { columns, hanging, type Paint, printable, type Style } from "../../support/terminal.ts";
import type { HistoryItem } from "../history/history.ts";
import type { Severity } from "../items/item.ts";

interface View {
  readonly paint: Paint;
  readonly width: number;
  /** Whether every item is shown. */
  readonly all: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const styles: Readonly<Record<Severity, Style>> = { critical: "red", high: "red", medium: "yellow", low: "dim" };

/** Items that are shown where not all are. */
const most = 50;
/** Columns that a sentence needs at least. */
const narrowest = 30;

/** What is open first, and the sums last. */
export function historyLines(items: readonly HistoryItem[], { paint, width, all, now }: View): string[] {
  const shown = all ? items : items.slice(0, most);
  const left = items.length - shown.length;
  const teamed = items.some(({ teams }) => teams.length > 0);
  const header = ["SEVERITY", "FIRST", "LAST", "FIXED", ...(teamed ? ["TEAM"] : []), "WHAT"];
  const rows = shown.map((item) => [...cellsOf(item, now), ...(teamed ? [printable(item.teams.join(", "))] : [])]);
  // The sentence is broken into lines behind the other columns.
  const fronts = columns(
    [header.slice(0, -1), ...rows].map((row) => [...row, "|"]),
    2,
  ).map((line) => line.slice(0, -1));
  const [head = "", ...fronted] = fronts;
  const indent = head.length;
  const lines = shown.flatMap((item, at) => {
    const [first = "", ...more] = hanging("", whatOf(item), Math.max(narrowest, width - indent));
    const front = fronted[at] ?? "";
    const painted = front.replace(/^\S+/, (severity) => paint(styles[item.severity], severity));
    return [painted + first, ...more.map((line) => " ".repeat(indent) + line)];
  });
  return [
    ...(shown.length === 0 ? [] : [`${head}WHAT`, ...lines, ""]),
    ...(left === 0 ? [] : [`and ${left} more: --all shows them, -o json and -o csv list them`, ""]),
    sumLine(items),
  ];
}

function cellsOf({ severity, firstSeen, lastSeen, openedAt, fixedAt }: HistoryItem, now: number): string[] {
  const ago = (time: number) => humanDuration(Math.max(0, now - time));
  const fixed = fixedAt === null ? "-" : `after ${humanDuration(Math.max(0, fixedAt - openedAt))}`;
  return [severity, ago(firstSeen), ago(lastSeen), fixed];
}

function whatOf({ title, clusters, openings }: HistoryItem): string {
  const again = openings > 1 ? `; came back ${openings === 2 ? "once" : `${openings - 1} times`}` : "";
  return printable(`${title}, in ${clusters.join(", ")}${again}`);
}

/** `3 items: 2 open, 1 fixed` */
function sumLine(items: readonly HistoryItem[]): string {
  const open = items.filter(({ fixedAt }) => fixedAt === null).length;
  return `${plural(items.length, "item")}${items.length === 0 ? "" : `: ${open} open, ${items.length - open} fixed`}`;
}

/** What `pulley fleet history -o json` prints, as schema/fleet-history.json says. Every field is always there. */
export function historyDocument(items: readonly HistoryItem[]) {
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetHistory",
    items: items.map((item) => ({
      ...item,
      firstSeen: timeText(item.firstSeen),
      lastSeen: timeText(item.lastSeen),
      openedAt: timeText(item.openedAt),
      fixedAt: timeText(item.fixedAt),
    })),
  };
}

/** RFC 4180, one item a line. */
export function historyCsv(items: readonly HistoryItem[]): string[] {
  const rows = items.map((item) => [
    item.id,
    item.kind,
    item.severity,
    item.title,
    item.image ?? "",
    item.clusters.join("; "),
    item.teams.join("; "),
    timeText(item.firstSeen) ?? "",
    timeText(item.lastSeen) ?? "",
    timeText(item.fixedAt) ?? "",
    String(item.openings),
  ]);
  return [["id", "kind", "severity", "title", "image", "clusters", "teams", ...times, "openings"], ...rows].map((row) =>
    row.map(csvCell).join(","),
  );
}

const times = ["firstSeen", "lastSeen", "fixedAt"];

function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
