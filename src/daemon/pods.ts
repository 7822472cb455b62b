/** The pods of a daemon: those that a folder of manifests asks for. */
import { createNode, createStaticPods, type Node, openClaims } from "../pods/index.ts";
import { decide } from "../policy/index.ts";
import { systemClock } from "../support/clock.ts";
import type { Ground } from "./core.ts";
import type { Endings } from "./disposers.ts";
import type { DaemonOptions, Telling } from "./types.ts";

type PodsPart = Pick<DaemonOptions, "root" | "kubelet" | "policy" | "hosts" | "logins">;

export function openNode(options: PodsPart, ground: Ground, endings: Endings): Node {
  const { kubelet, policy, hosts, logins } = options;
  const { crashLoopBackOff } = kubelet;
  const verifies = kubelet.imagePullCredentialsVerificationPolicy !== undefined;
  const node = createNode({
    images: ground.images,
    policy: policy.current(),
    decide,
    hosts,
    loginsFor: logins.forPod,
    pulls: kubelet,
    records: verifies ? ground.records : undefined,
    log: ground.decisions,
    containers: ground.runtime && { ...ground.runtime.containers, crashLoopBackOff },
    clock: systemClock,
    random: Math.random,
  });
  policy.onChange((changed) => changed && node.setPolicy(changed));
  endings.add(() => node.stop());
  return node;
}

/** Rejects if the folder can no longer be watched; ends with the daemon. */
export function runManifests(
  { root, manifests }: Pick<DaemonOptions, "root" | "manifests">,
  { node, ground, telling }: { readonly node: Node; readonly ground: Ground; readonly telling: Telling },
  endings: Endings,
): Promise<void> {
  if (manifests === undefined) return new Promise(() => undefined);
  const log = telling.log.with({ part: "manifests" });
  const containers = ground.runtime?.containers;
  const claims = containers && openClaims(root);
  const say = (line: string) => log.warn(line);
  const pods = createStaticPods({ folder: manifests, node, containers, claims, clock: systemClock, say });
  const stopping = new AbortController();
  const run = pods.run(stopping.signal);
  endings.add(async () => {
    stopping.abort();
    await run.catch(() => undefined);
  });
  log.info("pods come from a folder", { folder: manifests });
  return run;
}
