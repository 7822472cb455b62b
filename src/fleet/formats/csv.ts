/** The report for spreadsheets. */
import { csvCell } from "../../support/cells.ts";
import type { ItemWorkload } from "../items/item.ts";
import type { FleetReport, ReportedItem } from "../report.ts";

const header = [
  "id",
  "kind",
  "severity",
  "title",
  "clusters",
  "workloads",
  "teams",
  "image",
  "cause",
  "since",
  "bytes",
  "details",
  "advice",
  "command",
  "firstSeen",
];

/** RFC 4180, one item a line. */
export function* fleetCsv({ items }: FleetReport): Generator<string> {
  yield rowOf(header);
  for (const item of items) yield rowOf(cellsOf(item));
}

function rowOf(cells: readonly string[]): string {
  return cells.map(csvCell).join(",");
}

function cellsOf(item: ReportedItem): string[] {
  const { id, kind, severity, title, clusters, workloads, teams, image, cause, since, bytes } = item;
  const { details, advice, command, firstSeen } = item;
  return [
    id,
    kind,
    severity,
    title,
    clusters.join("; "),
    workloads.map(workloadText).join("; "),
    teams.join("; "),
    image ?? "",
    cause ?? "",
    since ?? "",
    String(bytes ?? ""),
    details.join("; "),
    advice,
    command ?? "",
    firstSeen ?? "",
  ];
}

function workloadText({ cluster, kind, namespace, name }: ItemWorkload): string {
  return `${cluster}: ${kind} ${namespace}/${name}`;
}
