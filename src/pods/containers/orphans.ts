/** Pods in the runtime that are no longer wanted. */

import { isStatic, nodeLabels, podUidLabel } from "./labels.ts";
import { removePod } from "./termination.ts";
import type { ContainersOptions } from "./types.ts";

export interface FoundPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Whether a folder of manifests asked for it. */
  readonly isStatic: boolean;
}

/** Every pod of this node that has a sandbox in the runtime. */
export async function foundPods({ runtime, node }: ContainersOptions): Promise<readonly FoundPod[]> {
  const sandboxes = await runtime.listPodSandboxes(nodeLabels(node));
  const pods = sandboxes.map(({ metadata: { namespace, name, uid }, annotations }): FoundPod => {
    return { namespace, name, uid, isStatic: isStatic(annotations) };
  });
  return [...new Map(pods.map((pod) => [pod.uid, pod])).values()];
}

/** Ends a pod that only the runtime knows, each container within the grace period that it was made with. */
export async function removeOrphan(pod: FoundPod, { runtime, folders, node }: ContainersOptions): Promise<void> {
  const labels = { ...nodeLabels(node), [podUidLabel]: pod.uid };
  await removePod(pod, { runtime, folders, labels, sidecars: [], killing: () => undefined });
}
