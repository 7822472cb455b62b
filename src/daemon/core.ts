/** What all parts of a daemon use: the image store, the registry client, pull records and the decision log. */
import { createViaId } from "../mirror/index.ts";
import {
  type DecisionLog,
  openDecisionLog,
  openPullRecords,
  openPulls,
  type PullRecords,
  type StorePulls,
  withAccessHeard,
} from "../pull/index.ts";
import { createRegistryClient } from "../registry/index.ts";
import { openEmbeddedStore } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Disposers } from "./disposers.ts";
import type { Metrics } from "./metrics/index.ts";
import { type OpenedRuntime, openRuntime } from "./runtime.ts";
import type { DaemonOptions } from "./types.ts";

export interface DaemonCore {
  /** What pulls, for pods, kubelets and the mirror alike. */
  readonly pulls: StorePulls;
  readonly records: PullRecords;
  readonly decisions: DecisionLog;
  readonly runtime: OpenedRuntime | undefined;
  /** The identifier in `Via` by which the mirror recognises its own requests. */
  readonly viaId: string;
}

type CorePart = Pick<DaemonOptions, "root" | "platform" | "runtime" | "kubelet" | "registry" | "contentSharing">;

export interface CoreOptions extends CorePart {
  readonly log: Log;
  readonly metrics: Metrics["listeners"];
}

/** @throws PulleyError `STORE_FAILED`, `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED` */
export async function openCore(options: CoreOptions, disposers: Disposers): Promise<DaemonCore> {
  const { root, platform, kubelet, log, metrics } = options;
  const clock = systemClock;
  const warn = (message: string) => log.warn(message);
  const { runtimeOperation } = metrics;
  const { runtime: socket } = options;
  const runtime = socket === undefined ? undefined : await openRuntime(socket, options, warn, runtimeOperation);
  const store = runtime?.store ?? (await openEmbeddedStore(root, { warn }));
  disposers.add(() => runtime?.close() ?? store.close());
  const viaId = createViaId();
  const registry = createRegistryClient({ ...options.registry, via: viaId });
  disposers.add(() => registry.close());
  const { contentSharing } = options;
  const pulls = openPulls({ store, registry, platform, clock, root, contentSharing, settings: kubelet });
  const records = withAccessHeard(openPullRecords(root, kubelet, clock), metrics.access);
  await records.recover(await store.images());
  const decisions = openDecisionLog(root, {
    onFailure: (failure) => {
      log.warn("the decision log cannot be written", { error: failure.message });
      metrics.decisionLogFailure();
    },
  });
  disposers.add(() => decisions.flush());
  return { pulls, records, decisions, runtime, viaId };
}
