/**
 * What breaks if a registry is down: which workloads could not start a container, neither where they run nor elsewhere,
 * which only on nodes that have a copy, and which are safe. What `-o json` prints is stable: a part of the public
 * interface, versioned by `apiVersion`, and described for other programs by schema/blast-radius.json.
 */
import { isLoopback, parseReference, type Reference, type Repository, registryOrigin } from "../image/index.ts";
import { type Decision, kubernetesOnly, type LocalFacts, type Policy, prepare } from "../policy/index.ts";
import type { PullPolicy } from "../workload/index.ts";
import { copiesIn, copyKey } from "./copies.ts";
import { type ItemWorkload, workloadOf } from "./items/item.ts";
import type { Cluster, WorkloadRecord } from "./types.ts";
import { imageNames, isReference, requestOf, type Use, usesOf } from "./uses.ts";

export interface BlastRadius {
  readonly apiVersion: "pulley.dev/v1alpha1";
  readonly kind: "BlastRadius";
  /** A host, or a host and the beginning of a path. */
  readonly registry: string;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Workloads that have images of the registry, or have it as a mirror; the worst first. */
  readonly workloads: readonly DependentWorkload[];
}

export const outcomes = ["none", "copies", "safe"] as const;

/**
 * - `none`: no container can be started, not even where the workload runs now.
 * - `copies`: containers can be started on nodes that have copies of all images, and nowhere else.
 * - `safe`: containers can be started on every node, or another source is asked.
 */
export type Outcome = (typeof outcomes)[number];

export interface DependentWorkload extends ItemWorkload {
  readonly outcome: Outcome;
  readonly pods: number;
  /** Nodes of its cluster that are in the list. */
  readonly nodes: number;
  /** The names of those on which it could be started. */
  readonly startsOn: readonly string[];
  readonly images: readonly DependentImage[];
  /** What would make it safe; empty where it is. */
  readonly advice: readonly string[];
}

export interface DependentImage {
  readonly container: string;
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Half a sentence. */
  readonly because: string;
}

/** A registry, or a part of one. @throws PulleyError `REFERENCE_INVALID` */
export function registryPrefix(text: string): Prefix {
  const trimmed = text.replace(/\/+$/, "");
  // What is wanted is how the host is normalised; with one segment below, docker.io would become docker.io/library.
  const { registry, path } = parseReference(`${trimmed}/${below.join("/")}`).repository;
  const own = path.split("/").slice(0, -below.length);
  return { text: [registry, ...own].join("/"), registry, path: own };
}

const below = ["x", "x"];

export interface Prefix {
  readonly text: string;
  readonly registry: string;
  readonly path: readonly string[];
}

function isBelow({ registry, path }: Repository, prefix: Prefix): boolean {
  const segments = path.split("/");
  return registry === prefix.registry && prefix.path.every((segment, at) => segments[at] === segment);
}

export function blastRadius(
  clusters: readonly Cluster[],
  prefix: Prefix,
  { policy = kubernetesOnly, now }: { readonly policy: Policy | undefined; readonly now: number },
): BlastRadius {
  const nameOf = imageNames();
  const workloads = clusters.flatMap((cluster) => {
    const copies = copiesIn(cluster, nameOf);
    const byWorkload = new Map<WorkloadRecord, Dependence[]>();
    for (const use of usesOf(cluster, nameOf)) {
      const found = dependenceOf(use, prefix, policy, now);
      if (found === undefined) continue;
      const known = byWorkload.get(use.workload);
      if (known === undefined) byWorkload.set(use.workload, [found]);
      else known.push(found);
    }
    return [...byWorkload].map(([workload, all]) => dependentOf(workload, all, cluster, copies));
  });
  const count = (outcome: Outcome) => workloads.filter((each) => each.outcome === outcome).length;
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "BlastRadius",
    registry: prefix.text,
    counts: { none: count("none"), copies: count("copies"), safe: count("safe") },
    workloads: workloads.toSorted(worstFirst),
  };
}

function worstFirst(one: DependentWorkload, other: DependentWorkload): number {
  const by = outcomes.indexOf(one.outcome) - outcomes.indexOf(other.outcome);
  if (by !== 0) return by;
  const key = ({ cluster, namespace, name, kind }: DependentWorkload) => [cluster, namespace, name, kind].join("\n");
  return key(one) < key(other) ? -1 : 1;
}

/** How one image depends on the registry. */
interface Dependence {
  readonly use: Use;
  readonly reference: Reference;
  readonly pullPolicy: PullPolicy;
  readonly because: string;
  /** `other`: another source is asked. */
  readonly needs: "registry" | "copy" | "other";
}

/** Nobody knows here when a registry last confirmed the copies of nodes, so none counts as fresh. */
const withCopy: LocalFacts = { presence: "present", digest: undefined, confirmedAt: undefined, access: "granted" };

/** `undefined`: the registry is not asked for it, whatever happens. */
function dependenceOf(use: Use, prefix: Prefix, policy: Policy, now: number): Dependence | undefined {
  const { image: reference } = use;
  if (!isReference(reference)) return undefined;
  const prepared = prepare(requestOf(use), policy, now);
  const sources = sourcesOf(prepared.decide({ presence: "absent" }));
  const isDown = (source: string) => isSourceDown(source, reference.repository, prefix);
  if (!sources.some(isDown)) return undefined;
  const decision = prepared.decide(withCopy);
  const pullPolicy = decision.pullPolicy.value;
  const base = { use, reference, pullPolicy };
  const other = sources.find((source) => !isDown(source));
  if (other !== undefined) return { ...base, needs: "other", because: `${other} is asked, too, and has to have it` };
  if (decision.action === "Use") return { ...base, needs: "copy", because: "a copy on the node is used unasked" };
  if (decision.action !== "Check") return { ...base, needs: "registry", because: decision.message };
  switch (decision.whenUnreachable) {
    case "UseCached":
      return { ...base, needs: "copy", because: `${decision.decidedBy} lets a copy be used when no registry answers` };
    case "RefuseAsTooOld":
      return {
        ...base,
        needs: "registry",
        because: `${decision.decidedBy} says how old a copy may be, and its age is not known`,
      };
    case "Fail":
      return { ...base, needs: "registry", because: "the registry is asked at each start, and a copy is not enough" };
  }
}

function sourcesOf(decision: Decision): readonly string[] {
  return decision.action === "Check" || decision.action === "Pull" ? decision.sources : [];
}

/** A source is the registry in the image's name, or a mirror. */
function isSourceDown(source: string, repository: Repository, prefix: Prefix): boolean {
  const isOrigin = source === registryOrigin(repository.registry, isLoopback(repository.registry));
  if (isOrigin) return isBelow(repository, prefix);
  return prefix.path.length === 0 && URL.canParse(source) && new URL(source).host === prefix.registry;
}

function dependentOf(
  workload: WorkloadRecord,
  all: readonly Dependence[],
  { nodes }: Cluster,
  copies: ReadonlyMap<string, ReadonlySet<string>>,
): DependentWorkload {
  const needing = all.filter(({ needs }) => needs !== "other");
  const isStuck = needing.some(({ needs }) => needs === "registry");
  const names = new Set([...nodes.map(({ name }) => name), ...podsOf(all).flatMap(({ node }) => node || [])]);
  const startsOn = isStuck
    ? []
    : [...names].filter((name) => needing.every(({ reference }) => copies.get(copyKey(reference))?.has(name) === true));
  const outcome = startsOn.length === 0 ? "none" : startsOn.length < names.size ? "copies" : "safe";
  return {
    ...workloadOf(workload),
    outcome: needing.length === 0 ? "safe" : outcome,
    pods: podsOf(all).length,
    nodes: names.size,
    startsOn: startsOn.toSorted(),
    images: all.map(({ use, pullPolicy, because }) => ({
      container: use.spec.name,
      image: use.spec.image,
      pullPolicy,
      because,
    })),
    advice: needing.length === 0 || outcome === "safe" ? [] : adviceFor(needing, startsOn),
  };
}

function podsOf(all: readonly Dependence[]) {
  return [...new Set(all.flatMap(({ use }) => use.pods))];
}

function adviceFor(needing: readonly Dependence[], startsOn: readonly string[]): readonly string[] {
  const advice = needing.flatMap(({ needs, reference, pullPolicy }): string[] => {
    if (needs === "copy") return [];
    if (pullPolicy !== "Always") return ["let a policy allow older copies, or name a mirror"];
    if (reference.digest !== undefined)
      return ["write IfNotPresent: the image is pinned by digest, and a copy is as good"];
    return [
      "pin the image by digest and write IfNotPresent, or let a policy say whenUnreachable: UseCached, or name a mirror",
    ];
  });
  const isForCopies = needing.some(({ needs }) => needs === "copy");
  const where = startsOn.length === 0 ? "to nodes" : "to the other nodes";
  return [
    ...new Set([
      ...advice,
      ...(isForCopies && advice.length === 0 ? [`pull its images ${where} beforehand, or name a mirror`] : []),
    ]),
  ];
}
