/** The pods whose containers `pulley run` runs on this machine. */

import {
  type ContainersOptions,
  type FoundPod,
  foundPods,
  openPodLocks,
  type PodManager,
  removeOrphan,
} from "../pods/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import type { Pod } from "../workload/index.ts";

export interface PodSessionOptions {
  readonly pods: readonly Pod[];
  readonly root: string;
  readonly containers: ContainersOptions;
  readonly log: (line: string) => void;
}

export interface PodSession {
  /** Stops and removes all pods; returns the failure if something is left. */
  end(node: PodManager): Promise<PulleyError | undefined>;
  /** Releases the locks on the pods. */
  release(): Promise<void>;
}

/**
 * Locks these pods, so that no other process runs them, and removes the containers of earlier versions of them.
 * @throws PulleyError `USAGE` if another process runs one of them
 */
export async function openPodSession({ pods, root, containers, log }: PodSessionOptions): Promise<PodSession> {
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
      log(`removing the containers of an earlier version of the pod ${found.namespace}/${found.name}`);
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
