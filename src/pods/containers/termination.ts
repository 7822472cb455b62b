/** Terminates pods: stops their containers within their grace period, then removes everything. */
import type { Pod } from "../../workload/index.ts";
import type { ContainerRuntime, Labels, ListedContainer } from "../container-runtime.ts";
import { gracePeriodOf } from "./labels.ts";
import { type Observed, type ObservedContainer, observe } from "./observed.ts";
import type { PodFolders } from "./types.ts";

/** The shortest grace period, in seconds (k8s `minimumGracePeriodInSeconds`). */
const shortestGrace = 2;

export interface Termination {
  readonly runtime: ContainerRuntime;
  /** Names of sidecars, in the order of the pod: they end after all others, the last one first. */
  readonly sidecars: readonly string[];
  readonly killing: (container: Pick<ListedContainer, "name">) => void;
}

/** Stops a pod's containers and sandboxes; those that have ended are kept. */
export async function stopPod(observed: Observed, { runtime, sidecars, killing }: Termination): Promise<void> {
  const active = observed.containers.filter(({ state }) => state === "running" || state === "unknown");
  const stop = async (container: ObservedContainer): Promise<void> => {
    killing(container);
    await runtime.stopContainer(container.id, Math.max(gracePeriodOf(container.annotations), shortestGrace));
  };
  await all(active.filter(({ name }) => !sidecars.includes(name)).map(stop));
  for (const name of sidecars.toReversed()) await all(active.filter((one) => one.name === name).map(stop));
  await all(observed.sandboxes.filter(({ ready }) => ready).map(({ id }) => runtime.stopPodSandbox(id)));
}

export interface PodRemoval extends Termination {
  readonly folders: PodFolders;
  /** Labels that all of its sandboxes and containers have. */
  readonly labels: Labels;
}

/** Stops a pod and removes its containers, sandboxes and folders; safe to call again. */
export async function removePod(pod: Pick<Pod, "namespace" | "name" | "uid">, removing: PodRemoval): Promise<void> {
  const { runtime, folders, labels } = removing;
  const observed = await observe(runtime, labels);
  await stopPod(observed, removing);
  await all(observed.containers.map(({ id }) => runtime.removeContainer(id)));
  for (const { id, ready } of observed.sandboxes) {
    // One that is not ready may still hold a network.
    if (!ready) await runtime.stopPodSandbox(id);
    await runtime.removePodSandbox(id);
  }
  await folders.remove(pod);
}

/** Waits for all, and then fails with the first failure. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
