/** The trend, for people and for spreadsheets. */
import { csvCell } from "../../support/cells.ts";
import { humanDuration } from "../../support/format.ts";
import { columns, type Paint, printable, widthOf } from "../../support/terminal.ts";
import type { Trend, TrendPeriod, TrendSeries } from "../history/trend.ts";

interface View {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Columns of the longest bar, and of the shortest that says something. */
const [longest, shortest] = [14, 5];
const header = ["OPEN", "CRIT", "HIGH", "MED", "LOW", "NEW", "FIXED", "FIXED IN", "SCORE"];
const gap = 2;

/** A table of periods with a bar for what is open, for the fleet or for each team. */
export function trendLines({ series, by }: Trend, { paint, width }: View): string[] {
  const top = Math.max(1, ...series.flatMap(({ periods }) => periods.map(openOf)));
  return series.flatMap((each, at) => [
    ...(at > 0 ? [""] : []),
    ...titleOf(each, series.length > 1).map((title) => paint("bold", printable(title))),
    ...withBars(
      [[by.toUpperCase(), ...header], ...each.periods.map(cellsOf)],
      [0, ...each.periods.map(openOf)],
      top,
      width,
    ),
  ]);
}

function titleOf({ team }: TrendSeries, several: boolean): string[] {
  if (team !== null) return [`Team ${team}`];
  return several ? ["No team"] : [];
}

function cellsOf({ from, open, opened, fixed, meanSecondsToFix, score }: TrendPeriod): string[] {
  const { critical, high, medium, low } = open;
  const numbers = [critical + high + medium + low, critical, high, medium, low, opened, fixed].map(String);
  const fixedIn = meanSecondsToFix === null ? "-" : humanDuration(meanSecondsToFix * 1000);
  return [from, ...numbers, fixedIn, String(score ?? "-")];
}

/** Bars of a sign that every terminal has; where there is no room, there are none. */
function withBars(rows: readonly string[][], values: readonly number[], top: number, width: number): string[] {
  const taken = Math.max(...columns(rows, gap).map(widthOf));
  const room = Math.min(longest, width - taken - gap);
  if (room < shortest) return columns(rows, gap);
  return columns(
    rows.map((row, at) => [...row, "#".repeat(Math.ceil(((values[at] ?? 0) / top) * room))]),
    gap,
  );
}

function openOf({ open: { critical, high, medium, low } }: TrendPeriod): number {
  return critical + high + medium + low;
}

/** RFC 4180, one period of one team a line. */
export function trendCsv({ series }: Trend): string[] {
  const rows = series.flatMap(({ team, periods }) =>
    periods.map(({ from, open, opened, fixed, meanSecondsToFix, score }) =>
      [
        team ?? "",
        from,
        ...[open.critical, open.high, open.medium, open.low, opened, fixed].map(String),
        String(meanSecondsToFix ?? ""),
        String(score ?? ""),
      ].map(csvCell),
    ),
  );
  const names = ["team", "from", "critical", "high", "medium", "low", "opened", "fixed", "meanSecondsToFix", "score"];
  return [names, ...rows].map((row) => row.join(","));
}
