/**
 * What `pulley fleet report -o json` prints. Stable: a part of the public interface, versioned by `apiVersion`, and
 * described for other programs by schema/fleet.json. Every field is always there; one that does not apply is `null`.
 */
import type { Policy } from "../policy/index.ts";
import { cannotPull } from "./items/cannot-pull.ts";
import { exemptions } from "./items/exemptions.ts";
import {
  bySeverity,
  type Counts,
  countsOf,
  type Findings,
  type FleetItem,
  type ItemKind,
  type ItemWorkload,
  itemKinds,
  type Severity,
} from "./items/item.ts";
import { lastCopies } from "./items/last-copy.ts";
import { mixedDigests } from "./items/mixed-digests.ts";
import { outdatedImages } from "./items/outdated.ts";
import { pullPolicies } from "./items/pull-policy.ts";
import { tagsMoved } from "./items/tag-moved.ts";
import { unusedImages, usualMostImages } from "./items/unused-images.ts";
import { runningTags } from "./running.ts";
import { score, type WorkloadCount, workloadCounts } from "./score.ts";
import { type Team, teamOf } from "./teams.ts";
import type { Cluster } from "./types.ts";
import { type AskedRegistry, type FleetUpstream, registryNotes } from "./upstream/answers.ts";
import { imageNames, usesByImage, usesOf } from "./uses.ts";

export interface FleetReport {
  readonly apiVersion: "pulley.dev/v1alpha1";
  readonly kind: "FleetReport";
  readonly clusters: readonly ReportedCluster[];
  /** What was looked for: exemptions only with a policy, and what registries know only where they were asked. */
  readonly kinds: readonly ItemKind[];
  /** From the worst to the least. */
  readonly items: readonly ReportedItem[];
  /** What the last recorded run had found, and this one no longer does; `null` without a history. */
  readonly fixed: readonly ReportedFix[] | null;
  readonly counts: Counts;
  /** Empty without a file of teams; what is nobody's is under the name `null`, last. */
  readonly teams: readonly ReportedTeam[];
  /** The registries of the images, in the order of their names; empty where none was asked. */
  readonly registries: readonly AskedRegistry[];
  /** What limits the answer. */
  readonly notes: readonly string[];
}

export interface ReportedCluster {
  readonly name: string;
  readonly pods: number;
  readonly nodes: number;
  readonly workloads: number;
  /** Different images, as they are written. */
  readonly images: number;
  /** Whether all of it was read. */
  readonly complete: boolean;
}

export interface ReportedItem extends FleetItem {
  /** Whose workloads they are. */
  readonly teams: readonly string[];
  /** When a run found it for the first time (RFC 3339); `null` without a history. */
  readonly firstSeen: string | null;
}

/** An item that is gone. */
export interface ReportedFix {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly title: string;
  readonly clusters: readonly string[];
  readonly teams: readonly string[];
  /** RFC 3339. */
  readonly firstSeen: string;
}

export interface ReportedTeam extends Counts {
  readonly name: string | null;
  readonly contact: string | null;
  readonly workloads: number;
  /** From 0 to 100, as score.ts says; `null` where there is no workload. */
  readonly score: number | null;
}

export interface ReportOptions {
  readonly policy: Policy | undefined;
  readonly teams: readonly Team[];
  /** What registries say of the images; absent: nothing is said of what only they know. */
  readonly upstream?: FleetUpstream | undefined;
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  /** What kubectl needs to reach a cluster, by the cluster's name: `--context eu`. Absent: the cluster is a file. */
  readonly contexts?: ReadonlyMap<string, string> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function fleetReport(
  clusters: readonly Cluster[],
  { policy, teams, upstream, incomplete, contexts = new Map(), now }: ReportOptions,
): FleetReport {
  const nameOf = imageNames();
  const uses = clusters.flatMap((cluster) => usesOf(cluster, nameOf));
  const tags = runningTags(clusters, nameOf);
  const findings: Findings = { clusters, uses, users: usesByImage(uses), tags, nameOf, upstream, policy, now };
  const registries = upstream?.registries ?? [];
  const owners = ownersOf(clusters, teams);
  const items = itemsIn(findings).map(
    (item): ReportedItem => ({
      ...item,
      command: commandIn(contexts, item),
      teams: owners(item),
      firstSeen: null,
    }),
  );
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetReport",
    clusters: clusters.map((cluster) => ({
      name: cluster.name,
      pods: cluster.pods.length,
      nodes: cluster.nodes.length,
      workloads: cluster.workloads.length,
      images: new Set(uses.flatMap(({ workload, spec }) => (workload.cluster === cluster.name ? spec.image : []))).size,
      complete: !incomplete.has(cluster.name),
    })),
    kinds: itemKinds.filter((kind) => isLookedFor(kind, findings)),
    items,
    fixed: null,
    counts: countsOf(items),
    teams: teams.length === 0 ? [] : teamCounts(items, teams, workloadCounts(clusters, teams)),
    registries,
    notes: [...notesOf(clusters), ...registryNotes(registries)],
  };
}

/** The item's command for the cluster that the item is in. */
function commandIn(
  contexts: ReadonlyMap<string, string>,
  { command, clusters: [cluster = ""] }: FleetItem,
): string | null {
  const flags = contexts.get(cluster);
  return flags === undefined || command === null ? command : command.replace(/^kubectl /, () => `kubectl ${flags} `);
}

const finders = [
  cannotPull,
  lastCopies,
  mixedDigests,
  tagsMoved,
  pullPolicies,
  exemptions,
  unusedImages,
  outdatedImages,
];

function isLookedFor(kind: ItemKind, { policy, upstream }: Findings): boolean {
  switch (kind) {
    case "exemption-expired":
    case "exemption-expiring":
    case "exemption-unused":
    case "exemption-used":
      return policy !== undefined;
    case "last-copy":
    case "tag-moved":
    case "outdated":
      return upstream !== undefined;
    case "cannot-pull":
    case "mixed-digests":
    case "always-missing":
    case "always-needless":
    case "unused-image":
      return true;
  }
}

function itemsIn(findings: Findings): readonly FleetItem[] {
  const all = finders.flatMap((find) => find(findings));
  // While a new version rolls out, a container is there in two ways, and what is wrong with both is one thing to do.
  const once = new Map(all.map((item) => [item.id, item]));
  return [...once.values()].toSorted(worstFirst);
}

/** Of two that look alike, that of the cluster that was named first. */
function worstFirst(one: FleetItem, other: FleetItem): number {
  const by = bySeverity(one, other);
  if (by !== 0) return by;
  const bytes = (other.bytes ?? 0) - (one.bytes ?? 0);
  if (bytes !== 0) return bytes;
  const kinds = itemKinds.indexOf(one.kind) - itemKinds.indexOf(other.kind);
  if (kinds !== 0) return kinds;
  return one.title < other.title ? -1 : Number(one.title > other.title);
}

function ownersOf(clusters: readonly Cluster[], teams: readonly Team[]): (item: FleetItem) => readonly string[] {
  if (teams.length === 0) return () => [];
  const keyOf = ({ cluster, kind, namespace, name }: ItemWorkload) => JSON.stringify([cluster, kind, namespace, name]);
  const owners = new Map<string, string | undefined>();
  for (const workload of clusters.flatMap((cluster) => cluster.workloads)) {
    owners.set(keyOf(workload), teamOf(teams, workload)?.name);
  }
  return ({ workloads }) => [...new Set(workloads.flatMap((workload) => owners.get(keyOf(workload)) ?? []))].toSorted();
}

function teamCounts(
  items: readonly ReportedItem[],
  teams: readonly Team[],
  workloads: readonly WorkloadCount[],
): readonly ReportedTeam[] {
  const team = (name: string | null, contact: string | null, own: readonly ReportedItem[]): ReportedTeam => {
    const counts = countsOf(own);
    const size = workloads.reduce((sum, count) => sum + (count.team === name ? count.workloads : 0), 0);
    return { name, contact, ...counts, workloads: size, score: score(counts, size) };
  };
  const nobodys = items.filter((item) => item.teams.length === 0);
  return [
    ...teams.map(({ name, contact }) =>
      team(
        name,
        contact,
        items.filter((item) => item.teams.includes(name)),
      ),
    ),
    team(null, null, nobodys),
  ];
}

function notesOf(clusters: readonly Cluster[]): readonly string[] {
  return clusters.flatMap(({ name, nodes, pods }) => {
    const full = nodes.filter(({ images }) => images.length === usualMostImages).length;
    const capped = `${name}: ${full} of ${nodes.length} nodes list ${usualMostImages} images, the most that a kubelet lists by default: there may be more on them`;
    const noNodes = `${name}: there is no node in the list, so nothing is said of the images on nodes`;
    const noPods = `${name}: there is no pod in the list`;
    return [
      ...(full > 0 ? [capped] : []),
      ...(nodes.length === 0 ? [noNodes] : []),
      ...(pods.length === 0 ? [noPods] : []),
    ];
  });
}
