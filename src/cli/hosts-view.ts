/** Findings in `hosts.toml` files, as JSON and as text. */
import { excerpt } from "../audit/index.ts";
import type { HostsFinding, HostsReport, HostsSeverity } from "../hosts/index.ts";
import { plural } from "../support/format.ts";
import { type Paint, printable, widthOf } from "../support/terminal.ts";

const colours = { error: "red", warning: "yellow", note: "blue" } as const satisfies Record<HostsSeverity, string>;
/** Maximum columns of an input line; a narrower terminal wraps it. */
const narrowest = 20;
/** Lines that may contain a secret are not printed in full. */
const looksSecret = /authorization|cookie|token|secret|password|header|^\s*"?x-/i;

interface Screen {
  readonly paint: Paint;
  readonly width: number;
}

/** Severity and message, then the line with a mark below it, then the advice. */
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

/** A finding as JSON. */
export function findingValue({ rule, severity, file, region, message, advice }: HostsFinding) {
  const place = region === undefined ? {} : { line: region.start.line, column: region.start.column };
  return { rule, severity, source: { file, ...place }, message, advice };
}

export function summary({ findings, files }: HostsReport, paint: Paint): string {
  const count = (severity: HostsSeverity) => findings.filter((finding) => finding.severity === severity).length;
  const words = (["error", "warning", "note"] as const)
    .filter((severity) => count(severity) > 0)
    .map((severity) => paint(["bold", colours[severity]], plural(count(severity), severity)));
  const said = words.length === 0 ? paint(["bold", "green"], "no findings") : words.join(", ");
  return `${plural(files.size, "file")}: ${said}`;
}
