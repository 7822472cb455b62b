/** The report for people: each finding with its marked line and what to do. */
import { plural } from "../../support/format.ts";
import { type Paint, printable, widthOf } from "../../support/terminal.ts";
import type { Finding, Severity } from "../types.ts";
import { excerpt } from "./excerpt.ts";
import { type AuditCounts, askerOf, type FormatContext, partOf, placeText, sourceLine } from "./format.ts";
import { countedWith, noFindings, type SeverityCounts, summaryLine } from "./tally.ts";

const colours = { error: "red", warning: "yellow", note: "blue" } as const satisfies Record<Severity, string>;

/** Entries of "not seen" that are listed, at most. */
const mostNotSeen = 10;
const widthWithoutTerminal = 120;
/** Columns of an excerpt, at least; a narrower terminal wraps it. */
const narrowest = 20;

export async function* text(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  const { paint } = context;
  let tally = noFindings;
  let file: string | undefined;
  for await (const finding of findings) {
    tally = countedWith(tally, finding);
    // Our own characters come before a name from the input, so that no line begins with a command to a CI system.
    const heading = finding.region.file === file ? "" : `${paint("bold", `── ${fileName(finding)}`)}\n\n`;
    file = finding.region.file;
    yield `${heading}${findingLines(finding, context).join("\n")}\n\n`;
  }
  yield `${lastLines(tally, context).join("\n")}\n`;
}

function findingLines(finding: Finding, context: FormatContext): string[] {
  const { severity, message, ruleId, region, advice, fix } = finding;
  const { paint } = context;
  const { live } = region;
  const gutter = live === undefined ? " ".repeat(`${region.line}`.length) : " ";
  const rail = (sign: string) => paint("dim", `${gutter} ${sign}`);
  // The heading has the name of an object already.
  const asker = live === undefined ? askerOf(finding) : partOf(finding).join("");
  const place = paint("cyan", live === undefined ? placeText(region, fileName(finding)) : printable(live.field));
  const advised = [
    printable(advice),
    ...(fix === undefined ? [] : [`${paint("green", "--fix")} would ${printable(fix.description)}`]),
  ];
  return [
    `${paint(["bold", colours[severity]], severity)}: ${paint("bold", printable(message))} ${paint("dim", `[${printable(ruleId)}]`)}`,
    `${rail("╭─")} ${[place, printable(asker)].filter((part) => part !== "").join("  ")}`,
    ...markedLine(finding, context, rail("│")),
    ...advised.map((line, at) => `${rail(at === advised.length - 1 ? "╰─" : "├─")} ${line}`),
  ];
}

/** The line of the input, and below it a line under what the finding is about. */
function markedLine(finding: Finding, context: FormatContext, rail: string): string[] {
  const { region, severity } = finding;
  const { paint, width = widthWithoutTerminal } = context;
  const line = sourceLine(finding, context);
  if (line === undefined) return [];
  const number = `${region.line}`;
  const endColumn = region.endLine === region.line ? region.endColumn : line.length + 1;
  const room = Math.max(narrowest, width - number.length - 3);
  const { before, marked, after } = excerpt(line, region.column, endColumn, room);
  const underline = "━".repeat(Math.max(1, widthOf(marked)));
  return [
    `${paint("dim", `${number} │`)} ${before}${marked}${after}`.trimEnd(),
    `${rail} ${" ".repeat(widthOf(before))}${paint(colours[severity], underline)}`,
  ];
}

function lastLines(tally: SeverityCounts, { counts, paint }: FormatContext): string[] {
  const counted = counts();
  const line = summaryLine(tally, counted, (severity, words) =>
    paint(["bold", severity === undefined ? "green" : colours[severity]], words),
  );
  const fixable = tally.fixable === 0 ? [] : [fixableLine(tally.fixable, paint)];
  return [...notSeenLines(counted.notSeen), ...fixable, line];
}

function notSeenLines(notSeen: AuditCounts["notSeen"]): string[] {
  const lines = notSeen
    .slice(0, mostNotSeen)
    .map(({ file, what, why }) => `not seen: ${printable(file)}, a ${what}: ${printable(why)}`);
  if (notSeen.length > mostNotSeen) lines.push(`and ${notSeen.length - mostNotSeen} more; -o json names all`);
  return lines.length === 0 ? [] : [...lines, ""];
}

function fixableLine(fixable: number, paint: Paint): string {
  return `${plural(fixable, "finding")} can be fixed with ${paint("green", "--fix")}; ${paint("green", "--diff")} shows how`;
}

function fileName({ region }: Finding): string {
  return region.file === "-" ? "<stdin>" : printable(region.file);
}
