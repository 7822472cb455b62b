/** Values that are known only where and when a pod runs. */

import { quote } from "../../support/go.ts";
import type { Pod } from "../types.ts";
import type { ContainerSpec, DataObject, DataObjects, FieldPath, PodSpec, ResourceSource } from "./types.ts";

export interface PodFacts {
  readonly pod: Pod;
  readonly spec: PodSpec;
  /** The pod's own namespace's objects are looked up in here. */
  readonly objects: DataObjects;
  readonly nodeName: string;
  readonly hostIP: string;
  /** Empty as long as the pod has none. */
  readonly podIPs: readonly string[];
  /** What a container without limits can have: thousandths of a core, and bytes. */
  readonly capacity: { readonly cpu: number; readonly memory: number };
}

export function fieldValue(path: FieldPath, { pod, nodeName, hostIP, podIPs }: PodFacts): string {
  switch (path.kind) {
    case "label":
      return pod.labels[path.key] ?? "";
    case "annotation":
      return pod.annotations[path.key] ?? "";
    case "labels":
      return mapText(pod.labels);
    case "annotations":
      return mapText(pod.annotations);
    case "name":
      return pod.name;
    case "namespace":
      return pod.namespace;
    case "uid":
      return pod.uid;
    case "serviceAccountName":
      return pod.serviceAccountName;
    case "nodeName":
      return nodeName;
    case "hostIP":
    case "hostIPs":
      return hostIP;
    case "podIP":
      return podIPs[0] ?? "";
    case "podIPs":
      return podIPs.join(",");
  }
}

/** k8s pkg/fieldpath `FormatMap`: a line an entry, sorted. */
function mapText(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${quote(map[key] ?? "")}`)
    .join("\n");
}

/** A limit or request in units of the divisor, rounded up (k8s pkg/api/v1/resource `ExtractContainerResourceValue`). */
export function resourceValue(source: ResourceSource, container: ContainerSpec | undefined, facts: PodFacts): string {
  const { of, resource, divisor } = source;
  const own = source.container === undefined ? container : named(facts.spec, source.container);
  const fallback = of === "limits" ? facts.capacity[resource] : 0;
  const amount = own?.resources[of][resource] ?? fallback;
  const whole = resource === "cpu" ? amount / 1000 : amount;
  return String(Math.ceil(whole / divisor - 1e-9));
}

function named({ containers }: PodSpec, name: string): ContainerSpec | undefined {
  return containers.find((container) => container.name === name);
}

/** The ConfigMap or Secret of that name in the pod's namespace. */
export function findObject(
  kind: "configMap" | "secret",
  name: string,
  { pod, objects }: PodFacts,
): DataObject | undefined {
  const all = kind === "configMap" ? objects.configMaps : objects.secrets;
  return all.find((object) => object.namespace === pod.namespace && object.name === name);
}

/** As the API server says it of something that it does not have. */
export function notFound(kind: "configMap" | "secret", name: string): string {
  return `${kind === "configMap" ? "configmap" : "secret"} ${quote(name)} not found`;
}

export function keyNotFound(kind: "configMap" | "secret", key: string, object: DataObject): string {
  const title = kind === "configMap" ? "ConfigMap" : "Secret";
  return `couldn't find key ${key} in ${title} ${object.namespace}/${object.name}`;
}
