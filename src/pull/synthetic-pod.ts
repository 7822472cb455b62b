import type { ImageName } from "../image/index.ts";
import type { ContainerKind, Pod, PodContainer, PullPolicy } from "../workload/index.ts";

/** Properties of a pod that stands for a client that is no pod of this node. */
export interface SyntheticPodOptions {
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

/** A pod that stands for a client that asks for an image. */
export function syntheticPod(
  image: ImageName,
  options: SyntheticPodOptions,
): Pod & { readonly containers: readonly [PodContainer] } {
  const {
    name,
    uid = name,
    namespace = "default",
    labels = {},
    annotations = {},
    container: named = "image",
  } = options;
  const { kind = "container", pullPolicy = "Always" } = options;
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
    containers: [{ ...container, image: image.given, pullPolicy, request }],
    imageVolumes: [],
    imagePullSecrets: [],
  };
}
