/** Metrics whose values are read when they are scraped. */

import type { PodStatus } from "../../pods/index.ts";
import type { Clock } from "../../support/clock.ts";
import { lookAtProcess } from "../../support/monitoring/instruments.ts";
import type { Instruments } from "./listeners.ts";
import type { MetricSources } from "./types.ts";

/** Milliseconds for which disk usage is cached, because reading a large store takes long. */
const diskInterval = 30_000;

const everyPhase = { Pending: 0, Prepared: 0, Running: 0, Succeeded: 0, Failed: 0 } as const satisfies Record<
  PodStatus["phase"],
  0
>;

/** The returned function brings the gauges up to date; it never fails. */
export function feedGauges(
  to: Instruments,
  { pods, store, pullRecords }: MetricSources,
  clock: Pick<Clock, "now">,
  onFailure: (error: unknown) => void = () => undefined,
): () => Promise<void> {
  // A gauge without a known value is left out; 0 would be wrong.
  const unknown = () => {
    for (const gauge of [to.storeImages, to.storeBytes, to.storeCapacity, to.storeAvailable]) gauge.remove();
  };
  const noRecords = () => {
    for (const gauge of [to.pullIntents, to.pulledRecords]) gauge.remove();
  };
  unknown();
  noRecords();

  const lookAtStore = nowAndThen(clock, async () => {
    if (store === undefined) return;
    const { images, used, capacity, available } = await store().catch((error: unknown) => {
      unknown();
      throw error;
    });
    to.storeImages.set(images);
    to.storeBytes.set(used);
    to.storeCapacity.set(capacity);
    to.storeAvailable.set(available);
  });

  const lookAtRecords = nowAndThen(clock, async () => {
    if (pullRecords === undefined) return;
    const { intents, records } = await pullRecords().catch((error: unknown) => {
      noRecords();
      throw error;
    });
    to.pullIntents.set(intents);
    to.pulledRecords.set(records);
  });

  function countPods(): void {
    if (pods === undefined) return;
    const all = pods();
    for (const phase of Object.keys(everyPhase)) {
      to.pods.set({ phase }, all.filter((status) => status.phase === phase).length);
    }
  }

  return async () => {
    countPods();
    lookAtProcess(to);
    await Promise.all([lookAtStore().catch(onFailure), lookAtRecords().catch(onFailure)]);
  };
}

/** Calls within {@link diskInterval} share one reading. */
function nowAndThen(clock: Pick<Clock, "now">, look: () => Promise<void>): () => Promise<void> {
  let last: { readonly at: number; readonly looked: Promise<void> } | undefined;
  return () => {
    const now = clock.now();
    if (last === undefined || now - last.at >= diskInterval) last = { at: now, looked: look() };
    return last.looked;
  };
}
