/** What is in a cluster, gathered object by object: from a file, or later from the API. */
import { countAt, textAt, valueAt } from "../support/json-record.ts";
import { type ObjectReader, type Owner, objectReader, type ReadPod } from "./pod-objects.ts";
import type { Cluster, ContainerSpec, NodeRecord, PodLogins, PodRecord, WorkloadRecord } from "./types.ts";

export interface Inventory {
  /**
   * Takes one object. An object that came before is replaced. Kinds that say nothing of images are passed over.
   * @param impliedKind what the object is where it does not say it, as in a `PodList`
   * @returns what is wrong with the object, if it cannot be used
   */
  add(raw: unknown, impliedKind?: string): string | undefined;
  /** Everything that was taken, with its owners. Call it once, at the end. */
  finish(): Cluster;
}

/** Kinds with a pod template, and where it is. */
export const templates: ReadonlyMap<string, readonly string[]> = new Map([
  ["Deployment", ["spec", "template"]],
  ["StatefulSet", ["spec", "template"]],
  ["DaemonSet", ["spec", "template"]],
  ["ReplicaSet", ["spec", "template"]],
  ["ReplicationController", ["spec", "template"]],
  ["Job", ["spec", "template"]],
  ["CronJob", ["spec", "jobTemplate", "spec", "template"]],
]);

/** Kinds whose owner is who people know, and whose own template is a copy of the owner's, or spent. */
const passingKinds: ReadonlySet<string> = new Set(["ReplicaSet", "Job"]);

interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: Owner | undefined;
  /** Empty for ReplicaSets that are owned, and for Jobs: one that has run does not run again. */
  readonly template: readonly ContainerSpec[];
  readonly templateLogins: PodLogins;
  readonly replicas: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const noLogins: PodLogins = { serviceAccount: "", pullSecrets: [] };

export function createInventory(clusterName: string): Inventory {
  const reader = objectReader();
  const pods = new Map<string, ReadPod>();
  const nodes = new Map<string, NodeRecord>();
  const controllers = new Map<string, Controller>();

  return {
    add(raw, impliedKind) {
      const kind = textAt(raw, "kind") ?? impliedKind;
      if (kind === undefined) return "the object has no kind";
      const isNode = kind === "Node";
      if (!isNode && kind !== "Pod" && !templates.has(kind)) return undefined;
      const name = textAt(raw, "metadata", "name");
      if (!name) return `the ${kind} has no metadata.name`;
      const namespace = textAt(raw, "metadata", "namespace") || "default";
      if (isNode) nodes.set(name, reader.node(raw, name));
      else if (kind === "Pod") pods.set(`${namespace}/${name}`, reader.pod(raw, namespace, name));
      else controllers.set(keyOf(kind, namespace, name), controllerOf(reader, raw, { kind, namespace, name }));
      return undefined;
    },
    finish: () => joined(clusterName, { pods, nodes, controllers }),
  };
}

function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind}\n${namespace}\n${name}`;
}

function controllerOf(
  reader: ObjectReader,
  raw: unknown,
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string },
): Controller {
  const owner = reader.owner(raw);
  const template = valueAt(raw, ...(templates.get(kind) ?? []));
  const spent = isSpent(kind, owner !== undefined);
  return {
    apiVersion: reader.text(textAt(raw, "apiVersion") ?? ""),
    kind: reader.text(kind),
    namespace: reader.text(namespace),
    name: reader.text(name),
    owner,
    template: spent ? [] : reader.template(valueAt(template, "spec")),
    templateLogins: spent ? noLogins : reader.logins(valueAt(template, "spec")),
    replicas: countAt(raw, "spec", "replicas"),
    labels: reader.labels(template, "labels"),
    annotations: reader.labels(template, "annotations"),
  };
}

/** Whether the template is a copy of the owner's, or has done its work. */
export function isSpent(kind: string, isOwned: boolean): boolean {
  return kind === "Job" || (kind === "ReplicaSet" && isOwned);
}

interface Taken {
  readonly pods: Map<string, ReadPod>;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  readonly controllers: ReadonlyMap<string, Controller>;
}

function joined(cluster: string, { pods: read, nodes, controllers }: Taken): Cluster {
  const workloads = new Map<string, WorkloadRecord>();

  function workloadOf(top: Top, namespace: string, pod: Pick<ReadPod, "labels" | "annotations">): WorkloadRecord {
    const key = keyOf(top.kind, namespace, top.name);
    const known = workloads.get(key);
    if (known !== undefined) return known;
    const { template = [], templateLogins = noLogins, replicas } = controllers.get(key) ?? {};
    const { labels, annotations } = pod;
    const made = { cluster, ...top, namespace, labels, annotations, template, templateLogins, replicas };
    workloads.set(key, made);
    return made;
  }

  const pods: PodRecord[] = [];
  for (const [key, pod] of read) {
    const { name, node, ended, containers, serviceAccount, pullSecrets, notReadySince, namespace } = pod;
    const workload = workloadOf(topOf(pod, controllers), namespace, pod);
    pods.push({ workload, name, node, ended, containers, serviceAccount, pullSecrets, notReadySince });
    read.delete(key);
  }
  for (const controller of controllers.values()) {
    const { apiVersion, kind, name, namespace, template } = controller;
    if (template.length > 0) workloadOf({ apiVersion, kind, name }, namespace, controller);
  }
  return { name: cluster, pods, nodes: [...nodes.values()], workloads: [...workloads.values()] };
}

interface Top {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

function topOf(pod: ReadPod, controllers: ReadonlyMap<string, Controller>): Top {
  const { namespace, name, node, owner, templateHash, isStatic } = pod;
  if (isStatic || owner?.kind === "Node") {
    const suffix = `-${node}`;
    const own = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    return { apiVersion: "v1", kind: "StaticPod", name: own };
  }
  if (owner === undefined) return { apiVersion: "v1", kind: "Pod", name };
  if (!passingKinds.has(owner.kind)) return owner;
  const controller = controllers.get(keyOf(owner.kind, namespace, owner.name));
  if (controller !== undefined) return controller.owner ?? owner;
  // The name of a Deployment's ReplicaSet ends in the hash of its template (k8s pkg/controller/deployment/sync.go).
  const suffix = `-${templateHash}`;
  if (owner.kind !== "ReplicaSet" || templateHash === undefined || !owner.name.endsWith(suffix)) return owner;
  return { apiVersion: "apps/v1", kind: "Deployment", name: owner.name.slice(0, -suffix.length) };
}
