/**
 * Annotations that CI systems show beside changed lines: workflow commands for GitHub Actions, the code quality report
 * for GitLab.
 */
import { printable } from "../../support/terminal.ts";
import type { Finding, NotSeen, Severity } from "../types.ts";
import { askerOf, type FormatContext } from "./format.ts";
import { objectPath, relativePath } from "./paths.ts";
import { countedWith, noFindings, summaryLine } from "./tally.ts";

const commands: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", note: "notice" };

/** The runner keeps ten annotations of each kind for a step, but the log has all of them. */
export async function* github(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  const titles = new Map(context.rules.map(({ id, title }) => [id, title]));
  let tally = noFindings;
  for await (const finding of findings) {
    tally = countedWith(tally, finding);
    const title = titles.get(finding.ruleId);
    yield annotation(finding, title === undefined ? finding.ruleId : `${title} (${finding.ruleId})`, context);
  }
  const counts = context.counts();
  for (const unseen of counts.notSeen) yield notSeenAnnotation(unseen, context);
  yield `${summaryLine(tally, counts)}\n`;
}

function notSeenAnnotation({ file, what, why }: NotSeen, { root }: FormatContext): string {
  const properties = `file=${escapeProperty(relativePath(file, root))},title=${escapeProperty("Not seen")}`;
  return `::notice ${properties}::${escapeData(printable(`This ${what} was not seen: ${why}.`))}\n`;
}

function annotation(finding: Finding, title: string, { root }: FormatContext): string {
  const { severity, region, message, advice } = finding;
  const properties = [...placeOf(region, root), ["title", printable(title)]].map(
    ([key = "", value = ""]) => `${key}=${escapeProperty(value)}`,
  );
  const asker = askerOf(finding);
  const text = `${printable(asker === "" ? message : `${asker}: ${message}`)}.\n${printable(advice)}`;
  return `::${commands[severity]} ${properties.join(",")}::${escapeData(text)}\n`;
}

/**
 * Columns are valid only within one line. Standard input is not a file of the repository, and neither is a
 * cluster, so their findings have no place.
 */
function placeOf({ file, line, column, endLine, endColumn, live }: Finding["region"], root: string): string[][] {
  if (file === "-" || live !== undefined) return [];
  const lines = [
    ["file", relativePath(file, root)],
    ["line", `${line}`],
    ["endLine", `${endLine}`],
  ];
  return line === endLine ? [...lines, ["col", `${column}`], ["endColumn", `${endColumn}`]] : lines;
}

/** The runner decodes these, and only these (actions/runner `ActionCommand.cs`). */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** GitLab's own scale is info, minor, major, critical, blocker. */
const gitlabSeverities: Readonly<Record<Severity, string>> = { error: "major", warning: "minor", note: "info" };

/** GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. */
export async function* gitlab(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  let separator = "[\n  ";
  for await (const finding of findings) {
    yield separator + JSON.stringify(issue(finding, context));
    separator = ",\n  ";
  }
  yield separator.startsWith("[") ? "[]\n" : "\n]\n";
}

/** The report must have a path and a line, also for an object in a cluster. */
function locationOf({ file, line, endLine, live }: Finding["region"], root: string): unknown {
  if (live !== undefined) return { path: `kubernetes/${objectPath(live)}`, lines: { begin: 1, end: 1 } };
  return { path: relativePath(file, root), lines: { begin: line, end: endLine } };
}

function issue(finding: Finding, { root }: FormatContext): unknown {
  const { ruleId, severity, region, message, advice, fingerprint } = finding;
  const asker = askerOf(finding);
  return {
    description: `${asker === "" ? "" : `${asker}: `}${message}. ${advice}`,
    check_name: ruleId,
    fingerprint,
    severity: gitlabSeverities[severity],
    location: locationOf(region, root),
  };
}
