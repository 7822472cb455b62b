/** What all parts of a daemon use: the image store, the registry client, pull records and the decision log. */
import { createViaId } from "../mirror/index.ts";
import {
  type ContentProofs,
  createContentProofs,
  createEmbeddedImageService,
  createLayerFetcher,
  type DecisionLog,
  type ImageService,
  type LayerFetcher,
  openDecisionLog,
  openPullRecords,
  type PullRecords,
  proofsFolder,
  sharing,
  withAccessHeard,
} from "../pull/index.ts";
import { createRegistryClient, type RegistryClient } from "../registry/index.ts";
import { type ImageStore, openEmbeddedStore } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Disposers } from "./disposers.ts";
import type { Metrics } from "./metrics/index.ts";
import { type OpenedRuntime, openRuntime } from "./runtime.ts";
import type { DaemonOptions } from "./types.ts";

export interface DaemonCore {
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  readonly layers: LayerFetcher;
  /** Which repository has served which content, whether or not the node's own pulls share content. */
  readonly proofs: ContentProofs;
  readonly images: ImageService;
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
  const layers = createLayerFetcher(store, registry);
  const proofs = createContentProofs(store, proofsFolder(root));
  const usable = options.contentSharing === "shared" ? sharing(proofs) : proofs;
  const images = createEmbeddedImageService({ store, registry, platform, clock, layers, proofs: usable });
  const records = withAccessHeard(openPullRecords(root, kubelet, clock), metrics.access);
  await records.recover(await store.images());
  const decisions = openDecisionLog(root, {
    onFailure: (failure) => {
      log.warn("the decision log cannot be written", { error: failure.message });
      metrics.decisionLogFailure();
    },
  });
  disposers.add(() => decisions.flush());
  return { store, registry, layers, proofs, images, records, decisions, runtime, viaId };
}
