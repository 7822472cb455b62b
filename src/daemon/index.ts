/** One machine's Pulley, for as long as it runs: its parts, started in order and ended in reverse. */

import type { Node } from "../node/node.ts";
import { startCollection } from "./collection.ts";
import { createEndings } from "./endings.ts";
import { type Ground, layGround } from "./ground.ts";
import { serveImages, serveMirror } from "./images.ts";
import { openNode, runManifests } from "./pods.ts";
import { openMetrics, startSeeing } from "./seeing.ts";
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

async function startParts(options: DaemonOptions, endings: ReturnType<typeof createEndings>): Promise<Daemon> {
  const { log, version, policy, collection, metrics: metricsAddress } = options;
  let ground: Ground | undefined;
  let node: Node | undefined;
  const laid = () => {
    if (ground === undefined) throw new Error("the daemon is still starting");
    return ground;
  };
  const metrics = openMetrics(version, log, laid, () => node);
  const telling = { log, metrics: metrics.listeners };
  policy.onChange((changed) => telling.metrics.policyReload({ ok: changed !== undefined }));
  ground = await layGround({ ...options, onDecisionsLost: telling.metrics.decisionLogFailure }, endings);
  node = openNode(options, ground, endings);
  await startSeeing({ ...options, metricsAddress, metrics, node }, ground, endings);
  await serveImages(options, ground, telling, endings);
  await serveMirror(options, ground, telling, endings);
  if (collection !== undefined) startCollection({ ...options, settings: collection, node }, ground, telling, endings);
  const manifests = runManifests(options, { node, ground, telling }, endings);
  let closing: Promise<void> | undefined;
  return {
    failed: Promise.race([node.ended(), manifests]).then(() => new Promise<never>(() => undefined)),
    close: () => {
      closing ??= endings.run();
      return closing;
    },
  };
}
