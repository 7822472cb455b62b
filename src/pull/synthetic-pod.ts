import type { ContainerKind, Pod, PodContainer, PullPolicy } from "../workload/index.ts";

/** Who asks for an image without being a pod of this node; what is not said is as `default` has it. */
export interface Asker {
  readonly name: string;
  readonly uid?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Name of the container that it is for. */
  readonly container?: string;
  /** Default: `container`. */
  readonly kind?: ContainerKind;
  /** Default: `Always`, which is what asking for a pull means. */
  readonly pullPolicy?: PullPolicy;
}

/** The pod that stands for somebody who asks for an image. */
export function askingPod(image: string, asker: Asker): Pod & { readonly containers: readonly [PodContainer] } {
  const { name, uid = name, namespace = "default", labels = {}, annotations = {}, container: named = "image" } = asker;
  const { kind = "container", pullPolicy = "Always" } = asker;
  const container = { name: named, kind };
  const workload = { apiVersion: "v1", kind: "Pod", namespace, name, labels, annotations };
  const request = { workload, container, image, pullPolicy };
  return {
    uid,
    namespace,
    name,
    labels,
    annotations,
    serviceAccountName: "default",
    containers: [{ ...container, image, pullPolicy, request }],
    imageVolumes: [],
    imagePullSecrets: [],
  };
}
