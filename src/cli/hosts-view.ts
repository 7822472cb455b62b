/** Findings in `hosts.toml` files, for people and for programs. */
import { excerpt } from "../audit/index.ts";
import type { HostsFinding, HostsReport, HostsSeverity } from "../hosts/index.ts";
import { plural } from "../support/plural.ts";
import { type Paint, printable, widthOf } from "../support/terminal.ts";

const colours = { error: "red", warning: "yellow", note: "blue" } as const satisfies Record<HostsSeverity, string>;
/** Columns of an input's line; a terminal that is narrower than that breaks it. */
const narrowest = 20;
/** A line that may have a secret in it is not shown whole. */
const looksSecret = /authorization|cookie|token|secret|password|header|^\s*"?x-/i;

interface Screen {
  readonly paint: Paint;
  readonly width: number;
}

/** Its severity and what it says, then the line that it is about with a mark below, then what to do. */
export function findingLines(finding: HostsFinding, files: HostsReport["files"], screen: Screen): string[] {
  const { severity, message, rule, file, region, advice } = finding;
  const { paint } = screen;
  const gutter = " ".repeat(`${region?.start.line ?? ""}`.length);
  const rail = (sign: string) => paint("dim", `${gutter} ${sign}`);
  const place = region === undefined ? file : `${file}:${region.start.line}:${region.start.column}`;
  return [
    `${paint(["bold", colours[severity]], severity)}: ${paint("bold", printable(message))} ${paint("dim", `[${rule}]`)}`,
    `${rail("╭─")} ${paint("cyan", printable(place))}`,
    ...markedLine(finding, files.get(file), screen, rail("│")),
    `${rail("╰─")} ${printable(advice)}`,
  ];
}

function markedLine(
  { region, severity }: HostsFinding,
  text: string | undefined,
  { paint, width }: Screen,
  rail: string,
): string[] {
  if (region === undefined || text === undefined) return [];
  const line = text.split(/\r?\n/)[region.start.line - 1] ?? "";
  const shown = looksSecret.test(line) ? line.replace(/=.*$/, "= …") : line;
  const endColumn = region.end.line === region.start.line ? region.end.column : line.length + 1;
  const room = Math.max(narrowest, width - `${region.start.line}`.length - 3);
  const { before, marked, after } = excerpt(shown, region.start.column, endColumn, room);
  const mark = "━".repeat(Math.max(1, widthOf(marked)));
  return [
    `${paint("dim", `${region.start.line} │`)} ${before}${marked}${after}`.trimEnd(),
    `${rail} ${" ".repeat(widthOf(before))}${paint(colours[severity], mark)}`,
  ];
}

/** One finding as JSON has it. */
export function findingValue({ rule, severity, file, region, message, advice }: HostsFinding) {
  const place = region === undefined ? {} : { line: region.start.line, column: region.start.column };
  return { rule, severity, source: { file, ...place }, message, advice };
}

export function summary({ findings, files }: HostsReport, paint: Paint): string {
  const count = (severity: HostsSeverity) => findings.filter((finding) => finding.severity === severity).length;
  const words = (["error", "warning", "note"] as const)
    .filter((severity) => count(severity) > 0)
    .map((severity) => paint(["bold", colours[severity]], plural(count(severity), severity)));
  const said = words.length === 0 ? paint(["bold", "green"], "nothing to say") : words.join(", ");
  return `${plural(files.size, "file")}: ${said}`;
}
