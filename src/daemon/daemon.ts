/** The daemon: its parts, started in order and stopped in reverse. */

import { startCollection } from "./collection.ts";
import { openCore } from "./core.ts";
import { createDisposers, type Disposers } from "./disposers.ts";
import { serveImages, serveMirror } from "./images.ts";
import { openMetrics, type StartedParts, startObservability } from "./observability.ts";
import { openNode, runManifests } from "./pods.ts";
import { startScrub } from "./scrub.ts";
import type { Daemon, DaemonOptions } from "./types.ts";

export type { Daemon, DaemonLogins, DaemonOptions, PolicySource } from "./types.ts";

/**
 * Starts all parts. If one fails to start, those before it are stopped again.
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`, `STORE_FAILED`, `USAGE`, `OUTPUT_UNWRITABLE`
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const disposers = createDisposers();
  try {
    return await startParts(options, disposers);
  } catch (error) {
    await disposers.run().catch(() => undefined);
    throw error;
  }
}

async function startParts(options: DaemonOptions, disposers: Disposers): Promise<Daemon> {
  const { log, policy, collection, metrics: metricsAddress } = options;
  const started: StartedParts = {};
  const metrics = openMetrics(options, started);
  const observers = { log, metrics: metrics.listeners };
  policy.onChange((changed) => observers.metrics.policyReload({ ok: changed !== undefined }));
  const { onPluginRun, providerConfigHash } = options.logins;
  onPluginRun?.(observers.metrics.credentialPlugin);
  if (providerConfigHash !== undefined) observers.metrics.credentialProviders({ configHash: providerConfigHash });
  const core = await openCore({ ...options, metrics: observers.metrics }, disposers);
  const node = openNode(options, core, disposers);
  Object.assign(started, { store: core.pulls.store, node });
  // A process that takes over waits for the other one's ports, but answers kubelets meanwhile.
  const { replaced } = await serveImages(options, core, observers, disposers);
  const events = await startObservability({ ...options, metricsAddress, metrics, node }, core, disposers);
  await serveMirror(options, core, observers, disposers);
  if (collection !== undefined) {
    await startCollection({ ...options, settings: collection, node, events }, core, observers, disposers);
  }
  startScrub(options, core, observers, disposers);
  const manifests = runManifests(options, { node, core, observers }, disposers);
  let closing: Promise<void> | undefined;
  return {
    replaced,
    failed: Promise.race([node.ended(), manifests]).then(() => new Promise<never>(() => undefined)),
    close: () => {
      closing ??= disposers.run();
      return closing;
    },
  };
}
