/** The pod that an image is for, as far as a runtime knows it. */
import type { ImageName } from "../../image/index.ts";
import { type SyntheticPodOptions, syntheticPod } from "../../pull/index.ts";
import type { PodSandboxConfig } from "../api/runtime/v1/api_pb.js";

/** Labels that the kubelet adds to a pod's own (k8s pkg/kubelet/types/labels.go). */
const kubelets = /^io\.kubernetes\.(?:pod|container)\./;

/** What is known of a sandbox. */
export type SandboxFacts = Pick<PodSandboxConfig, "metadata" | "labels" | "annotations">;

/**
 * The pod of a sandbox. Without a sandbox, as with `crictl pull`, it is the pod `cri` in the namespace `default`. A
 * kubelet has applied the pull policy before it asks a runtime to pull, so here it is `Always`.
 * @param more what is known of the container
 */
export function podOfSandbox(
  image: ImageName,
  sandbox: SandboxFacts | undefined,
  more: Pick<SyntheticPodOptions, "container" | "kind" | "pullPolicy"> = {},
): ReturnType<typeof syntheticPod> {
  const { metadata, labels: given = {}, annotations = {} } = sandbox ?? {};
  const name = metadata?.name || given["io.kubernetes.pod.name"] || "cri";
  const namespace = metadata?.namespace || given["io.kubernetes.pod.namespace"] || "default";
  const uid = metadata?.uid || given["io.kubernetes.pod.uid"] || "cri";
  const labels = Object.fromEntries(Object.entries(given).filter(([key]) => !kubelets.test(key)));
  return syntheticPod(image, {
    name,
    uid,
    namespace,
    labels,
    annotations,
    container: given["io.kubernetes.container.name"] ?? "",
    ...more,
  });
}
