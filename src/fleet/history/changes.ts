/** What a run changes in what is known: nothing here asks a database. */
import { readImageName } from "../../image/index.ts";
import type { ItemKind } from "../items/item.ts";
import type { FleetReport, ReportedItem } from "../report.ts";
import type { HistoryItem } from "./history.ts";

export interface SeenRun {
  readonly report: FleetReport;
  readonly at: number;
  /** The only ones that were read; empty: all. */
  readonly namespaces: readonly string[];
}

export interface Changes {
  /** New ones, and known ones of which the run says something else, as they are now. */
  readonly written: readonly HistoryItem[];
  /** Ids of those that are there unchanged. */
  readonly seen: readonly string[];
  /** Those of `written` that were not open before. */
  readonly opened: readonly HistoryItem[];
  /** Those that the run no longer found, as they are now. */
  readonly fixed: readonly HistoryItem[];
}

/** @param known the items that are open, and those of the report that were fixed, by their ids */
export function changesOf(run: SeenRun, known: ReadonlyMap<string, HistoryItem>): Changes {
  const { report, at } = run;
  const whole = wholeClusters(report);
  const found = new Map(report.items.map((item) => [item.id, item]));
  const written: HistoryItem[] = [];
  const opened: HistoryItem[] = [];
  const seen: string[] = [];
  for (const item of found.values()) {
    const before = known.get(item.id);
    // Of an item that a younger run has seen, or has found fixed, an older one says nothing new.
    if (before !== undefined && at <= (before.fixedAt ?? before.lastSeen)) continue;
    const now = itemNow(item, before, run, whole);
    if (before !== undefined && isSame(now, before)) seen.push(item.id);
    else written.push(now);
    if (before === undefined || before.fixedAt !== null) opened.push(now);
  }
  const fixed = [...known.values()]
    .filter((item) => item.fixedAt === null && item.lastSeen < at && !found.has(item.id) && isCovered(item, run, whole))
    .map((item): HistoryItem => ({ ...item, fixedAt: at }));
  return { written, seen, opened, fixed };
}

function itemNow(
  item: ReportedItem,
  before: HistoryItem | undefined,
  { report, at }: SeenRun,
  whole: WholeClusters,
): HistoryItem {
  const { id, kind, severity, title, image } = item;
  const elsewhere = (cluster: string) => !whole.has(cluster);
  const isOpen = before?.fixedAt === null;
  // What was found in clusters that could not be read this time is still there, for all that is known.
  const left = isOpen ? before : undefined;
  const here = item.clusters.length > 0 ? item.clusters : report.clusters.map(({ name }) => name);
  const clusters = [...here, ...(left?.clusters.filter(elsewhere) ?? [])];
  const workloads = [...item.workloads, ...(left?.workloads.filter(({ cluster }) => elsewhere(cluster)) ?? [])];
  return {
    id,
    kind,
    severity,
    title,
    image,
    clusters: [...new Set(clusters)].toSorted(),
    workloads: [...new Map(workloads.map((workload) => [JSON.stringify(workload), workload])).values()],
    // Without a file of teams, nothing is said of whose it is.
    teams: report.teams.length === 0 && before !== undefined ? before.teams : [...item.teams].toSorted(),
    firstSeen: before?.firstSeen ?? at,
    lastSeen: at,
    openedAt: isOpen ? before.openedAt : at,
    fixedAt: null,
    openings: (before?.openings ?? 0) + (isOpen ? 0 : 1),
  };
}

function isSame(now: HistoryItem, before: HistoryItem): boolean {
  return JSON.stringify({ ...now, lastSeen: 0 }) === JSON.stringify({ ...before, lastSeen: 0 });
}

/** Whether the run would have found the item if it were there still. */
function isCovered(
  { kind, image, clusters, workloads }: HistoryItem,
  { report, namespaces }: SeenRun,
  whole: WholeClusters,
): boolean {
  if (!report.kinds.some((looked: ItemKind) => looked === kind)) return false;
  if (!clusters.every((cluster) => whole.has(cluster))) return false;
  if (onlyRegistriesKnow.has(kind) && !isAnswered(image, report)) return false;
  if (kind === "unused-image" && !clusters.every((cluster) => whole.get(cluster) === true)) return false;
  if (namespaces.length === 0) return true;
  return workloads.length > 0 && workloads.every(({ namespace }) => namespaces.includes(namespace));
}

const onlyRegistriesKnow: ReadonlySet<string> = new Set<ItemKind>(["last-copy", "tag-moved", "outdated"]);

/** Whether the registry of an image has told of all its images that were asked about. */
function isAnswered(image: string | null, { registries }: FleetReport): boolean {
  const name = readImageName(image ?? "");
  if (name.kind === "invalid") return registries.every(({ unanswered }) => unanswered === 0);
  return registries.every((registry) => registry.unanswered === 0 || registry.name !== name.repository.registry);
}

/** Clusters of which all was read, and whether nodes were among it. */
type WholeClusters = ReadonlyMap<string, boolean>;

function wholeClusters({ clusters }: FleetReport): WholeClusters {
  return new Map(clusters.filter(({ complete }) => complete).map(({ name, nodes }) => [name, nodes > 0]));
}
