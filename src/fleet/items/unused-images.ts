/** Images on nodes that no pod there uses. */
import type { ImageName } from "../../image/index.ts";
import { formatBytes, plural, shellWord } from "../../support/format.ts";
import { copyKey } from "../copies.ts";
import type { Cluster, NodeImage, PodRecord } from "../types.ts";
import { imageNames, isReference } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, listed } from "./item.ts";

/** What a kubelet lists at most by default; it takes the largest (`nodeStatusMaxImages`). */
export const usualMostImages = 50;

export function unusedImages({ clusters }: Findings): readonly FleetItem[] {
  const nameOf = imageNames();
  return clusters.flatMap((cluster) => unusedIn(cluster, nameOf));
}

function unusedIn({ name: cluster, nodes, pods }: Cluster, nameOf: (image: string) => ImageName): readonly FleetItem[] {
  // Without pods nobody can say what is used.
  if (pods.length === 0) return [];
  const used = usedOnNodes(pods, nameOf);
  const unused = new Map<string, Unused>();
  for (const node of nodes) {
    const here = used.get(node.name);
    for (const image of node.images) {
      const names = image.names.map((name) => copyKey(nameOf(name)));
      if (names.some((name) => here?.has(name)) || names.some(isSandbox)) continue;
      const key = names.find((name) => name.includes("@")) ?? names[0] ?? "";
      const known = unused.get(key) ?? { image: nameFor(image), bytes: 0, nodes: [] };
      unused.set(key, known);
      known.bytes += image.bytes;
      known.nodes.push(node.name);
    }
  }
  return [...unused].map(([key, each]) => itemFor(cluster, key, each));
}

/** One image, however its nodes name it. */
interface Unused {
  readonly image: string;
  readonly nodes: string[];
  bytes: number;
}

/** With a tag, where it has one. */
function nameFor({ names }: NodeImage): string {
  return names.find((name) => !name.includes("@")) ?? names[0] ?? "an image without a name";
}

/** By node, the names of the images that its pods use, by tag and by digest. A pod that has ended keeps its image. */
function usedOnNodes(
  pods: readonly PodRecord[],
  nameOf: (image: string) => ImageName,
): ReadonlyMap<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const { node, containers } of pods) {
    if (node === "") continue;
    const here = used.get(node) ?? new Set();
    used.set(node, here);
    for (const { spec, digest } of containers) {
      const image = nameOf(spec.image);
      here.add(copyKey(image));
      if (digest !== undefined && isReference(image)) here.add(`${image.repository.name}@${digest}`);
    }
  }
  return used;
}

/** The image of the sandbox that each pod has, which no pod names. */
function isSandbox(name: string): boolean {
  return /(?:^|\/)(?:mirrored-)?pause(?:-[a-z0-9]+)?[:@]/.test(name);
}

function itemFor(cluster: string, key: string, { image, nodes, bytes }: Unused): FleetItem {
  const [first = ""] = nodes;
  return itemOf(
    "unused-image",
    [cluster, key],
    {
      severity: "low",
      title: `${image} is on ${plural(nodes.length, "node")} where no pod uses it: ${formatBytes(bytes)}`,
      advice: "The kubelet deletes it when the disk fills up, or when it is older than imageMaximumGCAge.",
    },
    {
      clusters: [cluster],
      image,
      bytes,
      details: [`on ${listed(nodes)}`],
      command: `kubectl get ${shellWord(`node/${first}`)} -o jsonpath='{.status.images}'`,
    },
  );
}
