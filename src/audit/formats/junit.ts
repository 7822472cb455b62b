/** JUnit's XML: a file is a suite, a finding a failed test. */
import { plural } from "../../support/format.ts";
import { printable } from "../../support/terminal.ts";
import type { Finding } from "../types.ts";
import { askerOf, type FormatContext, placeText } from "./format.ts";
import { relativePath } from "./paths.ts";
import { inputsText } from "./tally.ts";

export async function* junit(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pulley audit">\n';
  let any = false;
  for await (const ofFile of byFile(findings)) {
    any = true;
    yield suite(ofFile, context);
  }
  if (!any) yield cleanSuite(context);
  yield notSeenSuite(context);
  yield "</testsuites>\n";
}

/** A suite begins with its number of failures, so the findings of one file are collected first. */
async function* byFile(findings: AsyncIterable<Finding>): AsyncIterable<readonly Finding[]> {
  let held: Finding[] = [];
  for await (const finding of findings) {
    if (held[0] !== undefined && held[0].region.file !== finding.region.file) {
      yield held;
      held = [];
    }
    held.push(finding);
  }
  if (held.length > 0) yield held;
}

function suite(findings: readonly Finding[], { root }: FormatContext): string {
  const [first] = findings;
  const file = first?.region.live === undefined ? relativePath(first?.region.file ?? "", root) : first.region.file;
  const failures = findings.filter(isFailure).length;
  const names = uniqueNames();
  const cases = findings.map((finding) => testCase(finding, names(finding), file));
  return `  <testsuite name="${escapeAttribute(file)}" tests="${findings.length}" failures="${failures}" errors="0" skipped="0">
${cases.join("")}  </testsuite>
`;
}

function testCase(finding: Finding, name: string, file: string): string {
  const { line, live } = finding.region;
  // A name with a line feed in it must not begin a line of its own.
  const place = /[\r\n]/.test(file) ? printable(file) : file;
  const details = `${placeText(finding.region, place)}: ${finding.message}\n${finding.advice}`;
  const source = live === undefined ? ` file="${escapeAttribute(file)}" line="${line}"` : "";
  const verdict = isFailure(finding)
    ? `<failure type="${finding.severity}" message="${escapeAttribute(finding.message)}">${escapeText(details)}</failure>`
    : `<system-out>${escapeText(details)}</system-out>`;
  return `    <testcase classname="${escapeAttribute(file)}" name="${escapeAttribute(name)}"${source}>
      ${verdict}
    </testcase>
`;
}

/** A note requires nothing, so its test passes. */
function isFailure({ severity }: Finding): boolean {
  return severity !== "note";
}

/** Readers merge tests with the same name, so the second one gets a number. */
function uniqueNames(): (finding: Finding) => string {
  const seen = new Map<string, number>();
  return (finding) => {
    const asker = askerOf(finding);
    const name = asker === "" ? finding.ruleId : `${finding.ruleId}: ${asker}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  };
}

/** What was not seen is reported as skipped tests. */
function notSeenSuite({ counts, root }: FormatContext): string {
  const { notSeen } = counts();
  const cases = notSeen.map(({ file, what, why }) => {
    const path = escapeAttribute(relativePath(file, root));
    return `    <testcase classname="${path}" name="${escapeAttribute(what)}" file="${path}">
      <skipped message="${escapeAttribute(why)}"/>
    </testcase>
`;
  });
  if (cases.length === 0) return "";
  return `  <testsuite name="not seen" tests="${cases.length}" failures="0" errors="0" skipped="${cases.length}">
${cases.join("")}  </testsuite>
`;
}

/** Some readers treat a report without tests as broken. */
function cleanSuite({ counts }: FormatContext): string {
  const counted = counts();
  const name = `${plural(counted.containers, "container")} in ${inputsText(counted)}`;
  return `  <testsuite name="pulley audit" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="pulley audit" name="${name}"/>
  </testsuite>
`;
}

/** What no XML 1.0 document may hold, not even escaped (XML 1.0, 2.2), lone surrogates among them. */
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const entities: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/**
 * Line ends and tabs become references: parsers turn them into blanks within attributes, and `\r` into `\n` elsewhere.
 */
function escapeAttribute(text: string): string {
  return escapeText(text).replace(/[\t\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function escapeText(text: string): string {
  return text
    .replace(forbidden, "")
    .replace(/[&<>"]/g, (character) => entities.get(character) ?? "")
    .replaceAll("\r", "&#13;");
}
