/** Images that no registry has any more, and the nodes that still have them. */
import { canonicalText, familiarText, type Reference } from "../../image/index.ts";
import { plural, shellWord } from "../../support/format.ts";
import { copiesIn, copyKey } from "../copies.ts";
import type { RunningTag } from "../running.ts";
import type { PodRecord, WorkloadRecord } from "../types.ts";
import type { UpstreamImage } from "../upstream/answers.ts";
import { isReference, type Use } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, listed, named, workloadsOf } from "./item.ts";

interface LostImage {
  readonly key: string;
  readonly reference: Reference;
  readonly gone: NonNullable<UpstreamImage["gone"]>;
  readonly uses: readonly Use[];
  /** By cluster, the names of the nodes that have a copy. */
  readonly nodes: ReadonlyMap<string, ReadonlySet<string>>;
  /** Digests that run under a tag that is gone, and that the registry has still: then only the name is lost. */
  readonly left: readonly string[];
}

export function lastCopies({ clusters, users, tags, upstream, nameOf }: Findings): readonly FleetItem[] {
  const asked = [...(upstream?.images ?? [])];
  if (asked.every(([, { gone }]) => gone === null)) return [];
  const copies = clusters.map((cluster) => [cluster.name, copiesIn(cluster, nameOf)] as const);
  return asked.flatMap(([key, image]) => {
    const { gone } = image;
    const own = users.get(key) ?? [];
    const reference = own.map((use) => use.image).find(isReference);
    if (gone === null || reference === undefined) return [];
    const nodes = new Map(
      copies.map(([cluster, found]) => [cluster, found.get(copyKey(reference)) ?? new Set<string>()]),
    );
    const lost = { key, reference, gone, uses: own, nodes, left: digestsLeft(image, tags.get(key)) };
    // Where no node has a copy, the pods cannot pull, and that is told of.
    return copiesOf(lost).length === 0 && own.some(({ pods }) => pods.length > 0) ? [] : [itemFor(lost)];
  });
}

function digestsLeft({ copies }: UpstreamImage, tag: RunningTag | undefined): readonly string[] {
  if (copies === undefined) return [];
  const gone: ReadonlySet<string> = copies.gone;
  return [...(tag?.digests.keys() ?? [])].filter((digest) => !gone.has(digest));
}

/** `eu/node-1` */
function copiesOf({ nodes }: LostImage): readonly string[] {
  return [...nodes].flatMap(([cluster, names]) => [...names].map((name) => `${cluster}/${name}`));
}

function itemFor(lost: LostImage): FleetItem {
  const { key, reference, gone, uses, left } = lost;
  const copies = copiesOf(lost);
  const short = shortages(lost);
  const workloads = workloadsOf(uses.map(({ workload }) => workload));
  const name = familiarText(reference);
  const isUrgent = left.length === 0 && (copies.length === 1 || (copies.length > 1 && short.length > 0));
  return itemOf(
    "last-copy",
    [key],
    {
      severity: isUrgent ? "critical" : "high",
      title: `${name} is gone: ${reference.repository.registry} ${goneWords[gone]}`,
      advice: adviceFor(lost),
    },
    {
      clusters: [...new Set(workloads.map(({ cluster }) => cluster))],
      workloads,
      image: name,
      details: [
        copiesText(copies),
        ...left.map((digest) => `the registry still has what runs, as ${digest}`),
        ...short,
        `used by ${listed(workloads.map((each) => `${named(each)} in ${each.cluster}`))}`,
      ],
      command: `pulley outdated ${shellWord(name)}`,
    },
  );
}

const goneWords: Readonly<Record<LostImage["gone"], string>> = {
  tag: "has no such tag any more",
  digest: "does not have this digest any more",
  repository: "has no such repository any more",
  registry: "has no address any more",
};

function copiesText(copies: readonly string[]): string {
  if (copies.length === 0) return "no node is known to have a copy";
  return copies.length === 1
    ? `the last copy is on ${copies[0]}`
    : `${copies.length} nodes have a copy: ${listed(copies)}`;
}

/** Workloads that are to have more pods than there are nodes with a copy. */
function shortages({ uses, nodes }: LostImage): readonly string[] {
  const pods = new Map<WorkloadRecord, Set<PodRecord>>();
  for (const use of uses) {
    const known = pods.get(use.workload) ?? new Set();
    pods.set(use.workload, known);
    for (const pod of use.pods) known.add(pod);
  }
  return [...pods].flatMap(([workload, own]) => {
    const wanted = Math.max(workload.replicas ?? 0, own.size);
    const have = nodes.get(workload.cluster)?.size ?? 0;
    if (wanted <= have) return [];
    const copies = `${plural(have, "node")} there ${have === 1 ? "has" : "have"} a copy`;
    return [`${named(workload)} in ${workload.cluster} is to have ${plural(wanted, "pod")}, and ${copies}`];
  });
}

function adviceFor(lost: LostImage): string {
  const { reference, gone, left } = lost;
  if (left.length > 0) return "Give it its tag again, or pin the digest in the manifest: the registry still has it.";
  const { registry } = reference.repository;
  const elsewhere =
    gone === "registry" ? ` If it is only this machine that does not find ${registry}, report from one that does.` : "";
  if (copiesOf(lost).length === 0) return `Find out who has it and push it again, or write another image.${elsewhere}`;
  const name = shellWord(canonicalText(reference));
  const save = `ctr -n k8s.io images export image.tar ${name}`;
  const own = `pulley save --format oci-archive -f image.tar ${name} where Pulley keeps the node's images`;
  const push = `skopeo copy oci-archive:image.tar docker://${name}`;
  return `Save it on a node that has it before the kubelet deletes it, and push it again; or write another image. To save: ${save}, or ${own}; to push: ${push}.${elsewhere}`;
}
