/** One machine's Pulley, for as long as it runs: its parts, started in order and ended in reverse. */

import { startCollection } from "./collection.ts";
import { layGround } from "./core.ts";
import { createEndings, type Endings } from "./disposers.ts";
import { serveImages, serveMirror } from "./images.ts";
import { type Figures, openMetrics, startSeeing } from "./observability.ts";
import { openNode, runManifests } from "./pods.ts";
import { startScrub } from "./scrub.ts";
import type { Daemon, DaemonOptions } from "./types.ts";

export type { Daemon, DaemonLogins, DaemonOptions, PolicySource } from "./types.ts";

/**
 * Starts everything, or nothing: what had been started when something failed is ended again.
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`, `STORE_FAILED`, `USAGE`, `OUTPUT_UNWRITABLE`
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const endings = createEndings();
  try {
    return await startParts(options, endings);
  } catch (error) {
    await endings.run().catch(() => undefined);
    throw error;
  }
}

async function startParts(options: DaemonOptions, endings: Endings): Promise<Daemon> {
  const { log, policy, collection, metrics: metricsAddress } = options;
  const figures: Figures = {};
  const metrics = openMetrics(options, figures);
  const telling = { log, metrics: metrics.listeners };
  policy.onChange((changed) => telling.metrics.policyReload({ ok: changed !== undefined }));
  const { onPluginRun, providerConfigHash } = options.logins;
  onPluginRun?.(telling.metrics.credentialPlugin);
  if (providerConfigHash !== undefined) telling.metrics.credentialProviders({ configHash: providerConfigHash });
  const ground = await layGround({ ...options, metrics: telling.metrics }, endings);
  const node = openNode(options, ground, endings);
  Object.assign(figures, { store: ground.store, node });
  // Whoever takes another process's place has to wait for its ports, but answers kubelets meanwhile.
  const { replaced } = await serveImages(options, ground, telling, endings);
  const events = await startSeeing({ ...options, metricsAddress, metrics, node }, ground, endings);
  await serveMirror(options, ground, telling, endings);
  if (collection !== undefined) {
    startCollection({ ...options, settings: collection, node, events }, ground, telling, endings);
  }
  startScrub(options, ground, telling, endings);
  const manifests = runManifests(options, { node, ground, telling }, endings);
  let closing: Promise<void> | undefined;
  return {
    replaced,
    failed: Promise.race([node.ended(), manifests]).then(() => new Promise<never>(() => undefined)),
    close: () => {
      closing ??= endings.run();
      return closing;
    },
  };
}
