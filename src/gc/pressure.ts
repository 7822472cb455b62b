import type { EvictionThreshold, ThresholdValue } from "../kubelet-config/index.ts";
import type { Disk } from "./types.ts";

/** Whether the images' file system is under pressure. */
export interface Pressure {
  /** The thresholds that are met at this time, soft ones only once they have been met for their grace period. */
  met(disk: Disk, now: number): readonly EvictionThreshold[];
}

export function createPressure(thresholds: readonly EvictionThreshold[]): Pressure {
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
