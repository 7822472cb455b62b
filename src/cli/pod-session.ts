/** Pods that have containers on this machine for as long as a run lasts. */

import {
  type ContainersOptions,
  type FoundPod,
  foundPods,
  openPodLocks,
  type PodManager,
  removeOrphan,
} from "../pods/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { plural } from "../support/plural.ts";
import type { Pod } from "../workload/index.ts";

export interface PodSessionOptions {
  readonly pods: readonly Pod[];
  readonly root: string;
  readonly containers: ContainersOptions;
  readonly say: (line: string) => void;
}

export interface PodSession {
  /** Stops and removes all pods; what failed, if something is left. */
  end(node: PodManager): Promise<PulleyError | undefined>;
  /** Lets others run them. */
  release(): Promise<void>;
}

/**
 * Sees to it that nobody else runs these pods, and that what an earlier version of one of them left running ends.
 * @throws PulleyError `USAGE` if another process runs one of them
 */
export async function openPodSession({ pods, root, containers, say }: PodSessionOptions): Promise<PodSession> {
  const claims = openPodLocks(root);
  const taken: Pod[] = [];
  const release = async () => {
    for (const { uid } of taken) await claims.release(uid);
  };
  try {
    for (const pod of pods) {
      await claims.take(pod);
      taken.push(pod);
    }
    for (const found of await foundPods(containers)) {
      if (!isEarlierVersion(found, pods) || (await claims.isTaken(found.uid))) continue;
      say(`removing the containers of an earlier version of the pod ${found.namespace}/${found.name}`);
      await removeOrphan(found, containers);
    }
  } catch (error) {
    await release();
    throw error;
  }
  return {
    end: async (node) => {
      const results = await Promise.allSettled(pods.map((pod) => node.remove(pod)));
      const failures = results.flatMap((result) => (result.status === "rejected" ? [errorText(result.reason)] : []));
      if (failures.length === 0) return undefined;
      return new PulleyError(
        "RUNTIME_FAILED",
        `${plural(failures.length, "pod")} could not be removed: ${failures[0]}`,
        {
          advice: "Run the same command again to remove them.",
        },
      );
    },
    release,
  };
}

function isEarlierVersion({ namespace, name, uid }: FoundPod, pods: readonly Pod[]): boolean {
  return pods.some((pod) => pod.namespace === namespace && pod.name === name && pod.uid !== uid);
}
