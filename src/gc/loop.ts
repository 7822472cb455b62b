/** Collects periodically while a node runs. */

import type { EvictionThreshold, ThresholdValue } from "../kubelet-config/index.ts";
import type { Clock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Collector } from "./collector.ts";
import type { CollectableStore, CollectionEvent, CollectionPolicy, CollectionReport, Disk } from "./types.ts";

/** Milliseconds (k8s pkg/kubelet/kubelet.go `ImageGCPeriod`, and the eviction manager's `evictionMonitoringPeriod`). */
const period = 5 * 60_000;
const monitoringPeriod = 10_000;

export interface CollectionLoop {
  readonly collector: Collector;
  readonly policy: CollectionPolicy;
  readonly clock: Clock;
  readonly onEvent: (event: CollectionEvent) => void;
  /** Called with the report of every pass. */
  readonly onReport?: ((report: CollectionReport) => void) | undefined;
  /** Called with an error that ended a pass without a report. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/**
 * Collects now and then every five minutes, until the signal. That a pass failed is an event only if the one before it
 * failed too: right after a start there may be no figures yet.
 */
export async function runCollection(loop: CollectionLoop, signal: AbortSignal): Promise<void> {
  const { collector, policy, clock } = loop;
  const isOff = policy.highThreshold === 100 && policy.maximumAge === 0;
  let failedBefore = false;

  function judge(error: string | undefined): void {
    if (error !== undefined && failedBefore) {
      loop.onEvent({ time: clock.now(), type: "Warning", reason: "ImageGCFailed", message: error });
    }
    failedBefore = error !== undefined;
  }

  await every(period, loop, signal, async () => {
    if (isOff) return collector.watch();
    try {
      const report = await collector.collect(signal);
      loop.onReport?.(report);
      judge(report.error);
    } catch (error) {
      if (!signal.aborted) judge(errorText(error));
      throw error;
    }
  });
}

export interface PressureLoop extends Pick<CollectionLoop, "collector" | "clock" | "onReport" | "onFailure"> {
  readonly store: Pick<CollectableStore, "disk">;
  readonly thresholds: readonly EvictionThreshold[];
  /** Called when thresholds of the images' file system are met, and when they no longer are. */
  readonly onPressure?: ((met: readonly EvictionThreshold[]) => void) | undefined;
}

/** Deletes all unused images whenever the images' file system is under pressure, as a kubelet does before it evicts pods. */
export async function runPressureRelief(options: PressureLoop, signal: AbortSignal): Promise<void> {
  const { collector, store, clock } = options;
  const pressure = createPressure(options.thresholds);
  let before = "";
  await every(monitoringPeriod, options, signal, async () => {
    const met = pressure.met(await store.disk(), clock.now());
    const now = met.map(({ signal: name, text }) => `${name} ${text}`).join(" ");
    if (now !== before) options.onPressure?.(met);
    before = now;
    if (met.length === 0) return;
    const report = await collector.deleteUnused(signal);
    options.onReport?.(report);
  });
}

/** Repeats until the signal aborts, also after a failure. */
async function every(
  milliseconds: number,
  { clock, onFailure }: Pick<CollectionLoop, "clock" | "onFailure">,
  signal: AbortSignal,
  turn: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await turn().catch((error: unknown) => {
      if (!signal.aborted) onFailure?.(error);
    });
    await clock.sleep(milliseconds, signal).catch(() => undefined);
  }
}

/** Whether the images' file system is under pressure. */
interface Pressure {
  /** The thresholds that are met at this time, soft ones only once they have been met for their grace period. */
  met(disk: Disk, now: number): readonly EvictionThreshold[];
}

function createPressure(thresholds: readonly EvictionThreshold[]): Pressure {
  const since = new Map<EvictionThreshold, number>();
  return {
    met: (disk, now) =>
      thresholds.filter((threshold) => {
        if (!isBelow(threshold, disk)) {
          since.delete(threshold);
          return false;
        }
        const began = since.get(threshold) ?? now;
        since.set(threshold, began);
        return now - began >= (threshold.gracePeriod ?? 0);
      }),
  };
}

/** Only what is said of the images' file system can be known, and helped, by deleting images. */
function isBelow({ signal, value }: EvictionThreshold, { capacity, available, inodes, inodesFree }: Disk): boolean {
  if (signal === "imagefs.available") return available < amountOf(value, capacity);
  // A file system that counts no inodes has none to run out of.
  if (signal === "imagefs.inodesFree") return inodes > 0 && inodesFree < amountOf(value, inodes);
  return false;
}

function amountOf(value: ThresholdValue, whole: number): number {
  return value.kind === "quantity" ? value.quantity : value.share * whole;
}
