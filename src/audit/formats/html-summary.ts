/** The head of the page: how many findings, of which rules, and where most of them are. */

import { plural } from "../../support/plural.ts";
import type { AuditCounts, FormatContext, RuleDescription } from "./format.ts";
import type { HtmlCounts } from "./html-counts.ts";
import { htmlLink, htmlText, inputName } from "./html-text.ts";
import { severities, summaryLine, type Tally } from "./tally.ts";

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

/** The rows that weigh most; what is beyond `most` of them is summed up in one more. */
function table(
  caption: string,
  noun: string,
  tallies: ReadonlyMap<string, Tally>,
  cell: (key: string) => string,
  most = 10,
): string {
  const rows = [...tallies].sort(([, a], [, b]) => bySeverity(a, b));
  const rest = rows.slice(most).map(([, tally]) => tally);
  const lines = rows.slice(0, most).map(([key, tally]) => row(cell(key), tally));
  if (rest.length > 0) lines.push(row(`<i>${rest.length} more</i>`, rest.reduce(sum)));
  const heads = severities.map((severity) => `<th scope="col">${severity}s</th>`).join("");
  return `<table>
<caption>${caption}</caption>
<thead><tr><th scope="col">${noun}</th>${heads}</tr></thead>
<tbody>
${lines.join("")}</tbody>
</table>
`;
}

function row(head: string, tally: Tally): string {
  const cells = severities
    .map((severity) => `<td class="${tally[severity] === 0 ? "zero" : severity}">${tally[severity]}</td>`)
    .join("");
  return `<tr><th scope="row">${head}</th>${cells}</tr>\n`;
}

/** The one with more errors first, then the one with more warnings, then the one with more notes. */
function bySeverity(a: Tally, b: Tally): number {
  return b.error - a.error || b.warning - a.warning || b.note - a.note;
}

function sum(a: Tally, b: Tally): Tally {
  return {
    error: a.error + b.error,
    warning: a.warning + b.warning,
    note: a.note + b.note,
    fixable: a.fixable + b.fixable,
  };
}

/** Nothing that does nothing is shown: the script uncovers the form. */
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
