/** The report as one HTML page. It loads nothing, and is readable without its script. */
import { plural } from "../../support/format.ts";
import { filterScript } from "../../support/html/filter.ts";
import { type HtmlPage, htmlLink, htmlText, pageEnd, pageStart } from "../../support/html/page.ts";
import { severityTable } from "../../support/html/severity-table.ts";
import { pageStyle } from "../../support/html/style.ts";
import type { Finding } from "../types.ts";
import {
  type AuditCounts,
  askerOf,
  type FormatContext,
  placeText,
  type RuleDescription,
  sourceLine,
} from "./format.ts";
import { countedWith, noFindings, type SeverityCounts, severities, summaryLine } from "./tally.ts";

const style = `${pageStyle}
h2 { font: 600 1.05rem/1.4 ui-monospace, monospace; }
@media (min-width: 60rem) {
  .tables { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); }
  .tables table:first-child { grid-column: 1 / -1; }
}
.error { --severity: var(--error); }
.warning { --severity: var(--warning); }
.note { --severity: var(--note); }
pre { margin: .6rem 0; padding: .5rem 0; background: var(--code); display: flex; tab-size: 2; }
pre code { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; }
.number { flex: none; min-width: 3.5rem; padding: 0 .75rem; text-align: right; color: var(--quiet); user-select: none; }
mark { background: var(--mark); color: inherit; border-bottom: 2px solid var(--severity); }
mark:empty { padding: 0 .25em; }
`;

const page: HtmlPage = { title: "Pulley audit", style, script: filterScript };

const shadowRoot = `<template shadowrootmode="open"><slot name="summary"></slot><slot></slot></template>
`;

/**
 * The summary is known last and read first, so it is written last, into the first slot of the page. Browsers without
 * declarative shadow roots show it at the end.
 */
export async function* html(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  const links = new Map(context.rules.map(({ id, link }) => [id, link]));
  const counts = htmlCounts();
  yield `${pageStart(page)}${shadowRoot}`;
  let file: string | undefined;
  for await (const finding of findings) {
    const start = finding.region.file === file ? "" : sectionStart(finding, counts);
    file = finding.region.file;
    counts.add(finding);
    yield start + article(finding, links.get(finding.ruleId), context);
  }
  yield `${file === undefined ? "" : "</section>\n"}${htmlSummary(counts, context)}${pageEnd(page, context.version)}`;
}

/** The tables link to the first section of each file by the number that the file has in the order of the page. */
function sectionStart({ region }: Finding, { files }: HtmlCounts): string {
  const id = files.has(region.file) ? "" : ` id="file-${files.size + 1}"`;
  return `${files.size === 0 ? "" : "</section>\n"}<section class="file"${id}>
<h2>${htmlText(inputName(region.file))}</h2>
`;
}

function article(finding: Finding, link: string | undefined, context: FormatContext): string {
  const { ruleId, severity, region, message, advice, fix } = finding;
  const asker = askerOf(finding);
  const place = placeText(region, inputName(region.file));
  return `<article class="${severity}" data-severity="${severity}" data-rule="${htmlText(ruleId)}">
<h3><span class="severity">${severity}</span> ${htmlText(message)}</h3>
<p class="place"><span>${htmlText(place)}</span>${asker === "" ? "" : ` <span>${htmlText(asker)}</span>`} ${htmlLink(ruleId, link)}</p>
${marked(finding, context)}<p>${htmlText(advice)}</p>
${fix === undefined ? "" : `<p class="fix"><code>--fix</code> would ${htmlText(fix.description)}</p>\n`}</article>
`;
}

/** Most characters of a line that are shown on each side of the mark. */
const longestSide = 300;

function marked(finding: Finding, context: FormatContext): string {
  const line = sourceLine(finding, context);
  if (line === undefined) return "";
  const { region } = finding;
  const from = Math.min(region.column - 1, line.length);
  const to = region.endLine === region.line ? Math.min(Math.max(region.endColumn - 1, from), line.length) : line.length;
  const before = `${from > longestSide ? "…" : ""}${line.slice(Math.max(0, from - longestSide), from)}`;
  const mark = `${line.slice(from, Math.min(to, from + longestSide))}${to - from > longestSide ? "…" : ""}`;
  const after = `${line.slice(to, to + longestSide)}${line.length - to > longestSide ? "…" : ""}`;
  return `<pre><span class="number">${region.line}</span><code>${htmlText(before)}<mark>${htmlText(mark)}</mark>${htmlText(after)}</code></pre>
`;
}

export function inputName(file: string): string {
  return file === "-" ? "Standard input" : file;
}

export interface HtmlCounts {
  add(finding: Finding): void;
  readonly total: SeverityCounts;
  readonly rules: ReadonlyMap<string, SeverityCounts>;
  readonly namespaces: ReadonlyMap<string, SeverityCounts>;
  readonly files: ReadonlyMap<string, SeverityCounts>;
}

export function htmlCounts(): HtmlCounts {
  let total = noFindings;
  const rules = new Map<string, SeverityCounts>();
  const namespaces = new Map<string, SeverityCounts>();
  const files = new Map<string, SeverityCounts>();
  return {
    rules,
    namespaces,
    files,
    get total() {
      return total;
    },
    add(finding) {
      const count = (tallies: Map<string, SeverityCounts>, key: string) =>
        tallies.set(key, countedWith(tallies.get(key) ?? noFindings, finding));
      total = countedWith(total, finding);
      count(rules, finding.ruleId);
      count(files, finding.region.file);
      if (finding.workload !== undefined) count(namespaces, finding.workload.namespace);
    },
  };
}

export function htmlSummary(counts: HtmlCounts, context: FormatContext): string {
  const { total } = counts;
  return `<header slot="summary">
<h1>Pulley audit</h1>
<p class="total">${htmlText(summaryLine(total, context.counts()))}</p>
${total.fixable === 0 ? "" : `<p>${plural(total.fixable, "finding")} can be fixed with <code>pulley audit --fix</code>.</p>\n`}${
  counts.files.size === 0 ? "" : tables(counts, context.rules) + filters(counts)
}${notSeenList(context.counts())}</header>
`;
}

function notSeenList({ notSeen }: AuditCounts): string {
  const items = notSeen.map(
    ({ file, what, why }) => `<li><code>${htmlText(file)}</code> (${what}): ${htmlText(why)}</li>\n`,
  );
  return items.length === 0 ? "" : `<h2>Not seen</h2>\n<ul>\n${items.join("")}</ul>\n`;
}

function tables({ rules, namespaces, files }: HtmlCounts, descriptions: readonly RuleDescription[]): string {
  const described = new Map(descriptions.map((rule) => [rule.id, rule]));
  const ruleCell = (id: string) => {
    const rule = described.get(id);
    return `${htmlLink(id, rule?.link)}${rule === undefined ? "" : ` ${htmlText(rule.title)}`}`;
  };
  const namespaceCell = (name: string) => (name === "" ? "<i>none</i>" : htmlText(name));
  const sections = new Map([...files.keys()].map((file, index) => [file, index + 1]));
  const fileCell = (file: string) => `<a href="#file-${sections.get(file)}">${htmlText(inputName(file))}</a>`;
  return `<div class="tables">
${table("Rules", "Rule", rules, ruleCell, rules.size)}${table("Files", "File", files, fileCell)}${
  namespaces.size === 0 ? "" : table("Namespaces", "Namespace", namespaces, namespaceCell)
}</div>
`;
}

/** The `most` rows with the most severe findings; one more row sums up the rest. */
function table(
  caption: string,
  noun: string,
  tallies: ReadonlyMap<string, SeverityCounts>,
  cell: (key: string) => string,
  most = 10,
): string {
  const rows = [...tallies].sort(([, a], [, b]) => bySeverity(a, b));
  const rest = rows.slice(most).map(([, tally]) => tally);
  const shown = rows.slice(0, most).map(([key, tally]) => ({ head: cell(key), counts: tally }));
  const more = rest.length === 0 ? [] : [{ head: `<i>${rest.length} more</i>`, counts: rest.reduce(sum) }];
  const titled = severities.map((severity) => [severity, `${severity}s`] as const);
  return severityTable({ caption, noun, severities: titled, rows: [...shown, ...more] });
}

/** The one with more errors first, then the one with more warnings, then the one with more notes. */
function bySeverity(a: SeverityCounts, b: SeverityCounts): number {
  return b.error - a.error || b.warning - a.warning || b.note - a.note;
}

function sum(a: SeverityCounts, b: SeverityCounts): SeverityCounts {
  return {
    error: a.error + b.error,
    warning: a.warning + b.warning,
    note: a.note + b.note,
    fixable: a.fixable + b.fixable,
  };
}

/** The form is hidden until the script shows it: without the script it would do nothing. */
function filters({ rules }: HtmlCounts): string {
  const boxes = severities.map(
    (severity) => `<label><input type="checkbox" name="severity" value="${severity}" checked> ${severity}s</label>`,
  );
  const options = [...rules.keys()].sort().map((id) => `<option>${htmlText(id)}</option>`);
  return `<form id="filter" aria-label="Filter findings" hidden>
${boxes.join("\n")}
<label>Rule <select name="rule"><option value="">all</option>${options.join("")}</select></label>
<label>Text <input type="search" name="text"></label>
<output name="shown"></output>
</form>
`;
}
