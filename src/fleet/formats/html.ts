/** The report as one HTML page, of bounded size. Everything from a cluster is a text in it. */
import { formatBytes, humanDuration, plural, printable as shortened } from "../../support/format.ts";
import { filterScript } from "../../support/html/filter.ts";
import { type HtmlPage, htmlText, pageEnd, pageStart } from "../../support/html/page.ts";
import { severityTable } from "../../support/html/severity-table.ts";
import { type Counts, countsOf, type ItemKind, named, severities } from "../items/item.ts";
import type { FleetReport, ReportedItem } from "../report.ts";
import { fleetStyle } from "./html-style.ts";
import { sumLine } from "./text.ts";

export interface HtmlView {
  /** The version of the program. */
  readonly version: string;
  /** When the report was made, in milliseconds since the epoch. */
  readonly now: number;
}

const page: HtmlPage = { title: "Pulley fleet", style: fleetStyle, script: filterScript };

/** What a page shows at most: browsers stay quick, and JSON and CSV have the rest. */
const most = { items: 2000, lines: 20, fixed: 200, characters: 500 };

/** Items of one kind and severity that are shown unfolded. */
const mostUnfolded = 10;

/** Piece by piece, for a page may have megabytes. */
export function* fleetHtml(report: FleetReport, view: HtmlView): Generator<string> {
  const numbers = numbersIn(report);
  const shown = report.items.slice(0, most.items);
  yield pageStart(page) + header(report, view) + filters(report, shown);
  for (const severity of severities) {
    const own = shown.filter((item) => item.severity === severity);
    if (own.length === 0) continue;
    yield `<section class="${severity}" id="${severity}">
<h2>${titleOf(severity)} <span class="count">${report.counts[severity]}</span></h2>
`;
    for (const kind of new Set(own.map((item) => item.kind))) {
      const alike = own.filter((item) => item.kind === kind);
      yield groupStart(kind, alike.length);
      for (const item of alike) yield article(item, numbers, view);
      yield "</details>\n";
    }
    yield "</section>\n";
  }
  const left = report.items.length - shown.length;
  if (left > 0) yield `<p class="total">${left} more, none of them worse: -o json and -o csv list all.</p>\n`;
  yield fixedList(report, view) + pageEnd(page, view.version);
}

function fixedList({ fixed }: FleetReport, { now }: HtmlView): string {
  if (fixed === null || fixed.length === 0) return "";
  const lines = fixed.map(({ title, firstSeen }) => `${title}; after ${ageOf(firstSeen, now)}`);
  return `<div id="fixed"><h2>No longer there <span class="count">${fixed.length}</span></h2>
${list(lines, most.fixed)}</div>
`;
}

function header(report: FleetReport, { now }: HtmlView): string {
  const time = new Date(now).toISOString();
  return `<header>
<h1>Pulley fleet</h1>
<p class="total">${htmlText(sumLine(report))}</p>
<p class="place"><time datetime="${time}">${time.slice(0, 16).replace("T", " ")} UTC</time></p>
${sums(report.counts)}${notes(report)}${tables(report)}</header>
`;
}

function sums(counts: Counts): string {
  const tiles = severities.map((severity) => {
    const text = `<b>${counts[severity]}</b> ${severity}`;
    const inside = counts[severity] === 0 ? `<span>${text}</span>` : `<a href="#${severity}">${text}</a>`;
    return `<li class="${counts[severity] === 0 ? "none" : severity}">${inside}</li>`;
  });
  return `<ul class="sums">${tiles.join("")}</ul>\n`;
}

function notes(report: FleetReport): string {
  const missing = report.clusters.flatMap(({ name, complete }) => (complete ? [] : [`${name}: not all was read`]));
  const lines = [...missing, ...report.notes].map((note) => `<li>${textOf(note)}</li>\n`);
  return lines.length === 0 ? "" : `<aside><h2>What limits this report</h2>\n<ul>\n${lines.join("")}</ul></aside>\n`;
}

interface Row extends Counts {
  readonly name: string;
  readonly remark: string;
}

function tables({ clusters, items, teams }: FleetReport): string {
  const clusterRows = clusters.map(({ name, pods, nodes, workloads, images }): Row => {
    const sizes = [plural(pods, "pod"), plural(nodes, "node"), plural(workloads, "workload"), plural(images, "image")];
    return { name, remark: sizes.join(", "), ...countsOf(items.filter((item) => item.clusters.includes(name))) };
  });
  const teamRows = teams.map(
    ({ name, contact, score, ...counts }): Row => ({
      ...counts,
      name: name ?? "No team",
      remark: [contact ?? [], score === null ? [] : `score ${score}`].flat().join(", "),
    }),
  );
  const kindRows = [...new Set(items.map(({ kind }) => kind))].map(
    (kind): Row => ({ name: wordsOf(kind), remark: "", ...countsOf(items.filter((item) => item.kind === kind)) }),
  );
  return `<div class="tables">
${table("Clusters", "Cluster", clusterRows)}${table("Teams", "Team", teamRows)}${table("What there is to do", "Kind", kindRows)}</div>
`;
}

function table(caption: string, noun: string, rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) => {
    const remark = row.remark === "" ? "" : ` <small>${textOf(row.remark)}</small>`;
    return { head: `${textOf(row.name)}${remark}`, counts: row };
  });
  return severityTable({ caption, noun, severities: severities.map((each) => [each, each] as const), rows: cells });
}

/** The numbers of clusters and teams, by their names: what a filter compares must not be a stranger's text. */
interface Numbers {
  readonly clusters: ReadonlyMap<string, number>;
  readonly teams: ReadonlyMap<string, number>;
}

function numbersIn({ clusters, teams }: FleetReport): Numbers {
  return {
    clusters: new Map(clusters.map(({ name }, at) => [name, at])),
    teams: new Map(teams.flatMap(({ name }, at) => (name === null ? [] : [[name, at]]))),
  };
}

/** Hidden until the script shows it: without the script it would do nothing. */
function filters({ clusters, teams }: FleetReport, shown: readonly ReportedItem[]): string {
  if (shown.length === 0) return "";
  const boxes = severities
    .filter((severity) => shown.some((item) => item.severity === severity))
    .map((each) => `<label><input type="checkbox" name="severity" value="${each}" checked> ${each}</label>`);
  const kinds = [...new Set(shown.map(({ kind }) => kind))].map((kind) => [kind, wordsOf(kind)] as const);
  const clusterNames = clusters.map(({ name }, at) => [`${at}`, name] as const);
  const teamNames = teams.map(({ name }, at) => [name === null ? "none" : `${at}`, name ?? "no team"] as const);
  return `<form id="filter" aria-label="Filter items" hidden>
<div>${boxes.join("\n")}</div>
${select("Kind", kinds)}${select("Team", teamNames)}${select("Cluster", clusterNames)}<label>Text <input type="search" name="text"></label>
<output name="shown"></output>
</form>
`;
}

function select(label: string, choices: readonly (readonly [value: string, text: string])[]): string {
  if (choices.length < 2) return "";
  const options = choices.map(([value, text]) => `<option value="${value}">${textOf(text)}</option>`);
  return `<label>${label} <select name="${label.toLowerCase()}"><option value="">all</option>${options.join("")}</select></label>\n`;
}

function groupStart(kind: ItemKind, count: number): string {
  return `<details class="group"${count > mostUnfolded ? "" : " open"}>
<summary><h3>${wordsOf(kind)}</h3> <span class="count">${plural(count, "item")}</span></summary>
`;
}

function article(item: ReportedItem, numbers: Numbers, { now }: HtmlView): string {
  const { id, kind, severity, title, clusters, teams, since, firstSeen, bytes, details, advice, command } = item;
  const numbersOf = (names: readonly string[], all: ReadonlyMap<string, number>) =>
    names.flatMap((name) => all.get(name) ?? []).join(" ");
  const facts = [
    ...(clusters.length === 0 ? [] : [`in ${clusters.join(", ")}`]),
    ...(since === null ? [] : [`for ${ageOf(since, now)}`]),
    ...(firstSeen === null ? [] : [Date.parse(firstSeen) >= now ? "new" : `first seen ${ageOf(firstSeen, now)} ago`]),
    ...(teams.length === 0 ? [] : [`team ${teams.join(", ")}`]),
    ...(bytes === null ? [] : [formatBytes(bytes)]),
  ];
  const link = `<a class="anchor" href="#${encodeURIComponent(id)}" aria-label="Link to this item">#</a>`;
  return `<article class="${severity}" id="${htmlText(id)}" data-severity="${severity}" data-kind="${kind}" data-cluster="${numbersOf(clusters, numbers.clusters)}" data-team="${numbersOf(teams, numbers.teams) || "none"}">
<h4><span class="severity">${severity}</span> ${textOf(title)} ${link}</h4>
<p class="place">${facts.map((fact) => `<span>${textOf(fact)}</span>`).join(" ")}</p>
${list(details)}${workloadList(item)}<p class="advice">${textOf(advice)}</p>
${command === null ? "" : `<p class="command"><code>${textOf(command)}</code></p>\n`}</article>
`;
}

function workloadList({ workloads: all }: ReportedItem): string {
  if (all.length < 2) return "";
  const lines = all.map((workload) => `${named(workload)} in ${workload.cluster}`);
  return `<details><summary>${plural(all.length, "workload")}</summary>
${list(lines)}</details>
`;
}

function list(lines: readonly string[], longest = most.lines): string {
  if (lines.length === 0) return "";
  const left = lines.length - longest;
  const shown = lines.slice(0, longest).map((line) => `<li>${textOf(line)}</li>\n`);
  const more = left <= 0 ? "" : `<li>and ${left} more, which -o json lists</li>\n`;
  return `<ul>\n${shown.join("")}${more}</ul>\n`;
}

/** Digests are shortened as docker shortens them, and whole where the pointer rests. */
function textOf(text: string): string {
  return htmlText(shortened(text, most.characters)).replace(
    /(sha256:[0-9a-f]{12})[0-9a-f]{52}/g,
    (digest, short) => `<span title="${digest}">${short}…</span>`,
  );
}

/** @param time RFC 3339 */
function ageOf(time: string, now: number): string {
  return humanDuration(Math.max(0, now - Date.parse(time)));
}

function wordsOf(kind: ItemKind): string {
  return titleOf(kind.replaceAll("-", " "));
}

function titleOf(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
