/** The pods of a daemon: those that a folder of manifests asks for. */
import { createPodManager, createStaticPods, openPodLocks, type PodManager } from "../pods/index.ts";
import { systemClock } from "../support/clock.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import type { DaemonOptions, Observers } from "./types.ts";

type PodsPart = Pick<DaemonOptions, "root" | "kubelet" | "policy" | "hosts" | "logins">;

export function openNode(options: PodsPart, core: DaemonCore, disposers: Disposers): PodManager {
  const { kubelet, policy, hosts, logins } = options;
  const { crashLoopBackOff } = kubelet;
  const verifies = kubelet.imagePullCredentialsVerificationPolicy !== undefined;
  const node = createPodManager({
    pulls: core.pulls,
    policy: policy.current(),
    hosts,
    loginsFor: logins.forPod,
    records: verifies ? core.records : undefined,
    log: core.decisions,
    containers: core.runtime && { ...core.runtime.containers, crashLoopBackOff },
    clock: systemClock,
    random: Math.random,
  });
  policy.onChange((changed) => changed && node.setPolicy(changed));
  disposers.add(() => node.stop());
  return node;
}

/** Rejects if the folder can no longer be watched; ends with the daemon. */
export function runManifests(
  { root, manifests }: Pick<DaemonOptions, "root" | "manifests">,
  { node, core, observers }: { readonly node: PodManager; readonly core: DaemonCore; readonly observers: Observers },
  disposers: Disposers,
): Promise<void> {
  if (manifests === undefined) return new Promise(() => undefined);
  const log = observers.log.with({ part: "manifests" });
  const containers = core.runtime?.containers;
  const locks = containers && openPodLocks(root);
  const warn = (line: string) => log.warn(line);
  const pods = createStaticPods({ folder: manifests, node, containers, locks, clock: systemClock, warn });
  const stopping = new AbortController();
  const run = pods.run(stopping.signal);
  disposers.add(async () => {
    stopping.abort();
    await run.catch(() => undefined);
  });
  log.info("watching a folder of manifests", { folder: manifests });
  return run;
}
