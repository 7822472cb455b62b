/** One tag that runs as several digests: across the pods of a workload, across nodes, across clusters. */
import { familiarText, type Reference, withImpliedTag } from "../../image/index.ts";
import { plural } from "../../support/format.ts";
import type { NodeRecord, WorkloadRecord } from "../types.ts";
import { imageNames, isReference } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, listed, named, type Severity, word, workloadsOf } from "./item.ts";

/** Where one digest runs. */
interface Copies {
  pods: number;
  readonly nodes: Set<string>;
  readonly workloads: Set<WorkloadRecord>;
  readonly architectures: Set<string>;
}

interface Tagged {
  readonly reference: Reference;
  readonly digests: Map<string, Copies>;
}

export function mixedDigests({ clusters }: Findings): readonly FleetItem[] {
  const tags = new Map<string, Tagged>();
  const nameOf = imageNames();
  for (const { pods, nodes } of clusters) {
    const byName = new Map(nodes.map((node) => [node.name, node]));
    for (const { ended, node, workload, containers } of pods) {
      if (ended) continue;
      for (const { spec, digest } of containers) {
        const image = nameOf(spec.image);
        if (digest === undefined || !isReference(image) || image.digest !== undefined) continue;
        const copies = copiesOf(tags, withImpliedTag(image), digest);
        copies.pods += 1;
        copies.workloads.add(workload);
        if (node !== "") note(copies, workload.cluster, node, byName);
      }
    }
  }
  return [...tags.values()].filter(({ digests }) => digests.size > 1).map(itemFor);
}

function copiesOf(tags: Map<string, Tagged>, reference: Reference, digest: string): Copies {
  const key = `${reference.repository.name}:${reference.tag}`;
  const tagged = tags.get(key) ?? { reference, digests: new Map<string, Copies>() };
  tags.set(key, tagged);
  const none = {
    pods: 0,
    nodes: new Set<string>(),
    workloads: new Set<WorkloadRecord>(),
    architectures: new Set<string>(),
  };
  const copies = tagged.digests.get(digest) ?? none;
  tagged.digests.set(digest, copies);
  return copies;
}

function note(copies: Copies, cluster: string, node: string, nodes: ReadonlyMap<string, NodeRecord>): void {
  copies.nodes.add(`${cluster}/${node}`);
  const architecture = nodes.get(node)?.architecture ?? "";
  if (architecture !== "") copies.architectures.add(architecture);
}

function itemFor({ reference, digests }: Tagged): FleetItem {
  const all = [...digests].toSorted(([, one], [, other]) => other.pods - one.pods);
  const workloads = workloadsOf(all.flatMap(([, copies]) => [...copies.workloads]));
  const clusters = [...new Set(workloads.map(({ cluster }) => cluster))];
  const byPlatform = isByPlatform(all.map(([, copies]) => copies));
  const name = familiarText(reference);
  return itemOf(
    "mixed-digests",
    [`${reference.repository.name}:${reference.tag}`],
    {
      severity: severityOf(
        all.map(([, copies]) => copies),
        byPlatform,
      ),
      title: `${name} runs as ${digests.size} different digests`,
      advice: byPlatform
        ? "Each digest is on nodes of another architecture, so these may be platforms of one image: compare them with the tag."
        : "Pin the image by digest, or roll out anew with Always, so that all replicas run the same.",
    },
    {
      clusters,
      workloads,
      image: name,
      details: all.map(
        ([digest, { pods, nodes, workloads: users }]) =>
          `${digest}: ${plural(pods, "container")} of ${listed([...users].map(named), 3)}${nodes.size === 0 ? "" : `, on ${listed(nodes, 4)}`}`,
      ),
      command: `pulley outdated ${word(name)}`,
    },
  );
}

/** Some runtimes give the digest of the platform's manifest, others that of the index. */
function isByPlatform(copies: readonly Copies[]): boolean {
  const seen = copies.flatMap(({ architectures }) => [...architectures]);
  return copies.every(({ architectures }) => architectures.size === 1) && new Set(seen).size === seen.length;
}

/** Replicas of one workload that differ are worse than workloads or clusters that do. */
function severityOf(copies: readonly Copies[], byPlatform: boolean): Severity {
  if (byPlatform) return "low";
  const seen = new Set<WorkloadRecord>();
  for (const { workloads } of copies) {
    for (const workload of workloads) {
      if (seen.has(workload)) return "high";
      seen.add(workload);
    }
  }
  return "medium";
}
