/** The sandboxes and containers that the runtime has of a pod. */
import type { ContainerRuntime, Labels, RuntimeContainer, SandboxStatus } from "../container-runtime.ts";

export interface Observed {
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** Newest first. */
  readonly containers: readonly ObservedContainer[];
}

export interface ObservedContainer extends RuntimeContainer {
  /** The sandbox's id. */
  readonly sandbox: string;
}

export const nothingObserved: Observed = { sandboxes: [], containers: [] };

/** @param labels that all of the pod's sandboxes and containers have */
export async function observe(runtime: ContainerRuntime, labels: Labels): Promise<Observed> {
  const [listed, found] = await Promise.all([runtime.listPodSandboxes(labels), runtime.listContainers(labels)]);
  const sandboxes = await Promise.all(listed.map(({ id }) => runtime.podSandboxStatus(id)));
  const containers = await Promise.all(
    found.map(async ({ id, sandbox }) => {
      const status = await runtime.containerStatus(id);
      return status && { ...status, sandbox };
    }),
  );
  return {
    sandboxes: sandboxes.filter((one) => one !== undefined).toSorted(newestFirst((one) => one.metadata.attempt)),
    containers: containers.filter((one) => one !== undefined).toSorted(newestFirst((one) => one.attempt)),
  };
}

function newestFirst<Item extends { readonly createdAt: number }>(attempt: (item: Item) => number) {
  return (one: Item, other: Item) => attempt(other) - attempt(one) || other.createdAt - one.createdAt;
}

export function newestOf({ containers }: Observed, name: string): ObservedContainer | undefined {
  return containers.find((container) => container.name === name);
}

export function previousOf({ containers }: Observed, name: string): ObservedContainer | undefined {
  return containers.filter((container) => container.name === name)[1];
}

/** The sandbox that containers can be started in. */
export function readySandbox({ sandboxes }: Observed): SandboxStatus | undefined {
  const [newest] = sandboxes;
  return newest?.ready === true ? newest : undefined;
}
