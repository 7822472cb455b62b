/** Notices changes of containers by listing all of them periodically (k8s pkg/kubelet/pleg/generic.go). */
import type { Clock } from "../../support/clock.ts";
import { isPulleyError } from "../../support/errors.ts";
import type { ContainerRuntime, Labels } from "../container-runtime.ts";
import { podUidLabel } from "./labels.ts";

export interface Pleg {
  /** Calls the listener whenever a sandbox or container of the pod has changed, until the returned function is called. */
  onChange(uid: string, changed: () => void): () => void;
  /** Lists until the signal aborts; rejects only with its reason, or with a fault that is not the runtime's. */
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds between two lists. */
export const relistPeriod = 1000;

export function createPleg(runtime: ContainerRuntime, labels: Labels, clock: Clock): Pleg {
  const listeners = new Map<string, Set<() => void>>();
  let known = new Map<string, string>();

  async function relist(): Promise<void> {
    const next = await look(runtime, labels);
    for (const uid of new Set([...known.keys(), ...next.keys()])) {
      if (known.get(uid) === next.get(uid)) continue;
      for (const changed of listeners.get(uid) ?? []) changed();
    }
    known = next;
  }

  return {
    onChange: (uid, changed) => {
      const own = listeners.get(uid) ?? new Set();
      listeners.set(uid, own.add(changed));
      return () => {
        own.delete(changed);
        if (own.size === 0) listeners.delete(uid);
      };
    },
    run: async (signal) => {
      for (;;) {
        await clock.sleep(relistPeriod, signal);
        if (listeners.size > 0) await relist().catch(unlessRuntime);
      }
    },
  };
}

/** A runtime that does not answer is asked again; each pod reports that by itself. */
function unlessRuntime(error: unknown): void {
  if (!isPulleyError(error, "RUNTIME_UNREACHABLE", "RUNTIME_FAILED", "CANCELLED")) throw error;
}

/** The states of each pod's sandboxes and containers, as one text. */
async function look(runtime: ContainerRuntime, labels: Labels): Promise<Map<string, string>> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(labels), runtime.listContainers(labels)]);
  const states = [
    ...sandboxes.map(({ labels: own, id, ready }) => [own[podUidLabel], `${id} ${ready}`] as const),
    ...containers.map(({ labels: own, id, state }) => [own[podUidLabel], `${id} ${state}`] as const),
  ];
  const pods = new Map<string, string[]>();
  for (const [uid = "", state] of states) pods.set(uid, [...(pods.get(uid) ?? []), state]);
  return new Map([...pods].map(([uid, all]) => [uid, all.toSorted().join("\n")]));
}
