/** Who asks for an image, as far as a runtime is told. */
import { type Asker, askingPod } from "../../pull/index.ts";
import type { PodSandboxConfig } from "../api/runtime/v1/api_pb.js";

/** Labels that the kubelet adds to a pod's own (k8s pkg/kubelet/types/labels.go). */
const kubelets = /^io\.kubernetes\.(?:pod|container)\./;

/** What is told of a sandbox, when it is made and afterwards. */
export type SandboxFacts = Pick<PodSandboxConfig, "metadata" | "labels" | "annotations">;

/**
 * The pod whose sandbox an image is for. Without one, as `crictl pull` asks, it is nobody in the namespace `default`. A
 * runtime is asked to pull when a pod's policy has been heeded already, so there it is `Always`.
 * @param more what else is told, of the container
 */
export function podOfSandbox(
  image: string,
  sandbox: SandboxFacts | undefined,
  more: Pick<Asker, "container" | "kind" | "pullPolicy"> = {},
): ReturnType<typeof askingPod> {
  const { metadata, labels: given = {}, annotations = {} } = sandbox ?? {};
  const name = metadata?.name || given["io.kubernetes.pod.name"] || "cri";
  const namespace = metadata?.namespace || given["io.kubernetes.pod.namespace"] || "default";
  const uid = metadata?.uid || given["io.kubernetes.pod.uid"] || "cri";
  const labels = Object.fromEntries(Object.entries(given).filter(([key]) => !kubelets.test(key)));
  return askingPod(image, {
    name,
    uid,
    namespace,
    labels,
    annotations,
    container: given["io.kubernetes.container.name"] ?? "",
    ...more,
  });
}
