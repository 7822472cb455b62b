/** The report for people. */

import { humanDuration, plural, shellWord, printable as shortened } from "../../support/format.ts";
import { columns, hanging, type Paint, printable, type Style } from "../../support/terminal.ts";
import { type Severity, severities } from "../items/item.ts";
import type { FleetReport, ReportedItem, ReportedTeam } from "../report.ts";

export interface FleetView {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether every item is shown, however many of a kind there are. */
  readonly all: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Words with which `pulley outdated` reads the same clusters. */
  readonly outdatedWords: readonly string[];
}

const titles: Readonly<Record<Severity, string>> = { critical: "Critical", high: "High", medium: "Medium", low: "Low" };
const styles: Readonly<Record<Severity, Style>> = { critical: "red", high: "red", medium: "yellow", low: "dim" };

/** Items of one kind in one section, where not all are shown. */
const mostOfKind = 10;

/** What is worst first, by team where there are teams, and the sums last. */
export function fleetLines(report: FleetReport, view: FleetView): string[] {
  const { items, teams } = report;
  const sections =
    teams.length === 0
      ? severitySections(items, view)
      : teams.flatMap((team) =>
          teamSection(
            team,
            items.filter((item) => isOf(item, team)),
            view,
          ),
        );
  const table = teams.length === 0 ? [] : [...teamTable(teams), ""];
  return [...sections, ...fixedLines(report, view), ...table, ...summary(report)];
}

function isOf({ teams }: ReportedItem, { name }: ReportedTeam): boolean {
  return name === null ? teams.length === 0 : teams.includes(name);
}

function teamSection(team: ReportedTeam, items: readonly ReportedItem[], view: FleetView): string[] {
  if (items.length === 0) return [];
  const { name, contact } = team;
  const who = name === null ? "No team" : `Team ${name}${contact === null ? "" : `, ${contact}`}`;
  return [view.paint("bold", printable(`${who}: ${countsText(team)}`)), "", ...severitySections(items, view)];
}

function severitySections(items: readonly ReportedItem[], view: FleetView): string[] {
  return severities.flatMap((severity) => {
    const own = items.filter((item) => item.severity === severity);
    if (own.length === 0) return [];
    const kinds = [...new Set(own.map(({ kind }) => kind))];
    const lines = kinds.flatMap((kind) =>
      kindLines(
        own.filter((item) => item.kind === kind),
        view,
      ),
    );
    return [view.paint("bold", view.paint(styles[severity], titles[severity])), ...lines];
  });
}

function kindLines(items: readonly ReportedItem[], view: FleetView): string[] {
  const [first] = items;
  if (first?.kind === "outdated" && !view.all) return outdatedLines(first.severity, items, view);
  const shown = view.all ? items : items.slice(0, mostOfKind);
  const left = items.length - shown.length;
  const more = left === 0 ? [] : [`  and ${left} more like these: --all shows them, -o json and -o csv list them`, ""];
  return [...shown.flatMap((item) => itemLines(item, view)), ...more];
}

/** There are many of them, and another command tells more of each. */
function outdatedLines(
  severity: Severity,
  items: readonly ReportedItem[],
  { paint, width, outdatedWords }: FleetView,
): string[] {
  const what = severity === "medium" ? "newer patch releases" : "a newer minor version";
  const title = `${plural(items.length, "image")} ${items.length === 1 ? "has" : "have"} ${what}`;
  const names = items.slice(0, namedOutdated).map(({ image }) => image ?? "");
  const rest = items.length - names.length;
  return [
    ...hanging("  ", printable(title), width),
    ...hanging("    ", paint("dim", printable(`${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`)), width),
    `    ${paint("cyan", printable(["$ pulley outdated", ...outdatedWords.map(shellWord)].join(" ")))}`,
    "",
  ];
}

const namedOutdated = 3;

function itemLines(item: ReportedItem, view: FleetView): string[] {
  const { title, details, advice, command } = item;
  const { paint, width } = view;
  const where = whereText(item, view);
  return [
    ...hanging("  ", printable(title), width),
    ...(where === "" ? [] : hanging("    ", printable(where), width)),
    ...details.flatMap((detail) => hanging("    ", paint("dim", shortDigests(shortened(detail))), width)),
    ...hanging("    ", printable(advice), width),
    ...(command === null ? [] : [`    ${paint("cyan", printable(`$ ${command}`))}`]),
    "",
  ];
}

/** `in eu, us, for 3h; first seen 3d ago` */
function whereText({ clusters, since, firstSeen }: ReportedItem, { now }: FleetView): string {
  const age = (time: string) => humanDuration(Math.max(0, now - Date.parse(time)));
  const where =
    clusters.length === 0 ? [] : [`in ${clusters.join(", ")}${since === null ? "" : `, for ${age(since)}`}`];
  if (firstSeen === null) return where.join("");
  return [...where, Date.parse(firstSeen) >= now ? "new" : `first seen ${age(firstSeen)} ago`].join("; ");
}

function fixedLines({ fixed }: FleetReport, view: FleetView): string[] {
  if (fixed === null || fixed.length === 0) return [];
  const { paint, width, all, now } = view;
  const shown = all ? fixed : fixed.slice(0, mostOfKind);
  const left = fixed.length - shown.length;
  return [
    paint("bold", paint("green", "Fixed since the last run")),
    ...shown.flatMap(({ title, firstSeen }) =>
      hanging("  ", printable(`${title}; after ${humanDuration(Math.max(0, now - Date.parse(firstSeen)))}`), width),
    ),
    ...(left === 0 ? [] : [`  and ${left} more: --all shows them`]),
    "",
  ];
}

/** As docker shortens them; JSON and CSV have them whole. */
function shortDigests(text: string): string {
  return text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1…");
}

function teamTable(teams: readonly ReportedTeam[]): string[] {
  const rows = teams.map(({ name, contact, critical, high, medium, low, workloads, score }) => [
    printable(name ?? "(no team)"),
    printable(contact ?? ""),
    ...[critical, high, medium, low, workloads, score ?? "-"].map(String),
  ]);
  return columns([["TEAM", "CONTACT", "CRITICAL", "HIGH", "MEDIUM", "LOW", "WORKLOADS", "SCORE"], ...rows], 2);
}

function summary(report: FleetReport): string[] {
  const rows = report.clusters.map(({ name, pods, nodes, workloads, images, complete }) => [
    printable(name),
    ...[pods, nodes, workloads, images].map(String),
    complete ? "" : "not all was read",
  ]);
  return [...columns([["CLUSTER", "PODS", "NODES", "WORKLOADS", "IMAGES", ""], ...rows]), "", sumLine(report)];
}

/** `2 clusters, 7 pods, 3 nodes: 2 high, 3 low` */
export function sumLine({ clusters, counts }: FleetReport): string {
  const sum = (of: "pods" | "nodes") => clusters.reduce((total, cluster) => total + cluster[of], 0);
  const size = [plural(clusters.length, "cluster"), plural(sum("pods"), "pod"), plural(sum("nodes"), "node")];
  return `${size.join(", ")}: ${countsText(counts)}`;
}

function countsText(counts: Readonly<Record<Severity, number>>): string {
  const some = severities.filter((severity) => counts[severity] > 0);
  return some.length === 0 ? "nothing to do" : some.map((severity) => `${counts[severity]} ${severity}`).join(", ");
}
