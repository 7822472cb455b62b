/** Who asks for an image, as far as a runtime is told. */
import { askingPod } from "../../node/asking-pod.ts";
import type { Pod } from "../../workload/types.ts";
import type { PodSandboxConfig } from "../api/runtime/v1/api_pb.js";

/** Labels that the kubelet adds to a pod's own (k8s pkg/kubelet/types/labels.go). */
const kubelets = /^io\.kubernetes\.(?:pod|container)\./;

/**
 * The pod whose sandbox a pull is for. Without one, as `crictl pull` asks, it is nobody in the namespace `default`. A
 * runtime is asked to pull when a pod's policy has been heeded already, so here it is `Always`.
 */
export function podOfSandbox(image: string, sandbox: PodSandboxConfig | undefined): Pod {
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
  });
}
