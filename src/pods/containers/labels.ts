/** What the kubelet writes on sandboxes and containers, by which they are found again (k8s pkg/kubelet/types/labels.go, kuberuntime/labels.go). */
import { createHash } from "node:crypto";
import type { ContainerSpec, Pod, PodSpec } from "../../workload/index.ts";
import type { Labels } from "../container-runtime.ts";

const podNameLabel = "io.kubernetes.pod.name";
const podNamespaceLabel = "io.kubernetes.pod.namespace";
export const podUidLabel = "io.kubernetes.pod.uid";
const containerNameLabel = "io.kubernetes.container.name";
/** Which of Pulley's nodes made it: no other one touches it. */
const nodeLabel = "pulley.dev/node";

/** Where a pod came from that no API server knows of (k8s pkg/kubelet/types, `ConfigSourceAnnotationKey`). */
const sourceAnnotation = "kubernetes.io/config.source";

export const staticPod: Labels = { [sourceAnnotation]: "file" };

export function isStatic(annotations: Labels): boolean {
  return annotations[sourceAnnotation] === "file";
}

const gracePeriodAnnotation = "io.kubernetes.pod.terminationGracePeriod";

export function nodeLabels(node: string): Labels {
  return { [nodeLabel]: node };
}

export function podLabels(pod: Pod, node: string): Labels {
  const { name, namespace, uid } = pod;
  return {
    ...nodeLabels(node),
    [podNameLabel]: name,
    [podNamespaceLabel]: namespace,
    [podUidLabel]: uid,
  };
}

export function containerLabels(pod: Pod, node: string, { name }: ContainerSpec): Labels {
  return { ...podLabels(pod, node), [containerNameLabel]: name };
}

export function containerAnnotations(spec: PodSpec, container: ContainerSpec, attempt: number): Labels {
  return {
    "io.kubernetes.container.hash": hashOf(container),
    "io.kubernetes.container.restartCount": String(attempt),
    "io.kubernetes.container.terminationMessagePath": container.terminationMessagePath,
    [gracePeriodAnnotation]: String(spec.terminationGracePeriodSeconds),
  };
}

/** How long a container that was found may take to end, in seconds. */
export function gracePeriodOf(annotations: Labels): number {
  const seconds = Number(annotations[gracePeriodAnnotation] ?? "");
  return Number.isInteger(seconds) && seconds >= 0 ? seconds : 30;
}

function hashOf(container: ContainerSpec): string {
  return createHash("sha256").update(JSON.stringify(container)).digest("hex").slice(0, 8);
}

/** `default_web_0123…`, the folder of a pod's logs (k8s pkg/kubelet/kuberuntime/helpers.go, `BuildPodLogsDirectory`). */
export function logFolderName({ namespace, name, uid }: Pick<Pod, "namespace" | "name" | "uid">): string {
  return `${namespace}_${name}_${uid}`;
}

/** As the kubelet names pods in its messages (k8s pkg/kubelet/util/format). */
export function podText({ namespace, name, uid }: Pod): string {
  return `${name}_${namespace}(${uid})`;
}
