/** What somebody has to do something about. */
import { createHash } from "node:crypto";
import type { ImageName } from "../../image/index.ts";
import type { Policy } from "../../policy/index.ts";
import type { RunningTag } from "../running.ts";
import type { Cluster, WorkloadRecord } from "../types.ts";
import type { FleetUpstream } from "../upstream/answers.ts";
import type { Use } from "../uses.ts";

/** From the worst to the least. */
export const severities = ["critical", "high", "medium", "low"] as const;

export type Severity = (typeof severities)[number];

interface Grave {
  readonly severity: Severity;
}

/** Compares, the worst first. */
export function bySeverity(one: Grave, other: Grave): number {
  return severities.indexOf(one.severity) - severities.indexOf(other.severity);
}

export type Counts = Readonly<Record<Severity, number>>;

export function countsOf(items: readonly Grave[]): Counts {
  const count = (severity: Severity) => items.filter((item) => item.severity === severity).length;
  return { critical: count("critical"), high: count("high"), medium: count("medium"), low: count("low") };
}

/** In the order in which those of one severity are told. */
export const itemKinds = [
  "cannot-pull",
  "last-copy",
  "mixed-digests",
  "tag-moved",
  "always-missing",
  "always-needless",
  "exemption-expired",
  "exemption-expiring",
  "exemption-unused",
  "exemption-used",
  "unused-image",
  "outdated",
] as const;

export type ItemKind = (typeof itemKinds)[number];

/** Why a pod cannot pull. */
export const pullCauses = [
  "name-invalid",
  "missing",
  "forbidden",
  "unauthorized",
  "throttled",
  "unreachable",
  "certificate",
  "platform",
  "disk",
  "denied",
  "never",
  "unknown",
] as const;

export type PullCause = (typeof pullCauses)[number];

/** One thing to do. All fields are always there; one that does not apply is `null`. */
export interface FleetItem {
  /** The same from run to run as long as it is about the same thing. */
  readonly id: string;
  readonly kind: ItemKind;
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly title: string;
  readonly clusters: readonly string[];
  /** The owners at the top, each once. */
  readonly workloads: readonly ItemWorkload[];
  /** As it is written. */
  readonly image: string | null;
  readonly cause: PullCause | null;
  /** Since when, at the longest (RFC 3339). */
  readonly since: string | null;
  /** Of all copies together. */
  readonly bytes: number | null;
  /** Lines about the particulars. */
  readonly details: readonly string[];
  /** What to do about it. */
  readonly advice: string;
  /** The command that finds out more. */
  readonly command: string | null;
}

export interface ItemWorkload {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What items are found in. */
export interface Findings {
  readonly clusters: readonly Cluster[];
  readonly uses: readonly Use[];
  /** The same by the canonical text of the image; those whose name is none are left out. */
  readonly users: ReadonlyMap<string, readonly Use[]>;
  /** By the canonical text of the image. */
  readonly tags: ReadonlyMap<string, RunningTag>;
  /** Parses each image once. */
  readonly nameOf: (image: string) => ImageName;
  /** What registries say; `undefined`: none was asked. */
  readonly upstream: FleetUpstream | undefined;
  /** `undefined`: none was given. */
  readonly policy: Policy | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Particulars = Partial<Omit<FleetItem, "id" | "kind" | "severity" | "title" | "advice">>;

/** @param identity what makes the item the same one next time */
export function itemOf(
  kind: ItemKind,
  identity: readonly string[],
  { severity, title, advice }: Pick<FleetItem, "severity" | "title" | "advice">,
  particulars: Particulars,
): FleetItem {
  const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  return {
    id: `${kind}:${hash.slice(0, 16)}`,
    kind,
    severity,
    title,
    clusters: [],
    workloads: [],
    image: null,
    cause: null,
    since: null,
    bytes: null,
    details: [],
    advice,
    command: null,
    ...particulars,
  };
}

export function workloadOf({ cluster, kind, namespace, name }: WorkloadRecord): ItemWorkload {
  return { cluster, kind, namespace, name };
}

/** Each once, in the order of their names. */
export function workloadsOf(records: Iterable<WorkloadRecord>): readonly ItemWorkload[] {
  const found = [...new Set(records)].map(workloadOf);
  return found.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
}

function textOf({ cluster, kind, namespace, name }: ItemWorkload): string {
  return [cluster, namespace, name, kind].join("\n");
}

export function identityOf({ cluster, kind, namespace, name }: WorkloadRecord): readonly string[] {
  return [cluster, kind, namespace, name];
}

/** `Deployment prod/web` */
export function named({ kind, namespace, name }: ItemWorkload): string {
  return `${kind === "StaticPod" ? "static pod" : kind} ${namespace}/${name}`;
}

/** Names, the first of them only where there are many. */
export function listed(names: Iterable<string>, most = 5): string {
  const all = [...new Set(names)].toSorted();
  const rest = all.length - most;
  return rest > 0 ? `${all.slice(0, most).join(", ")} and ${rest} more` : all.join(", ");
}
