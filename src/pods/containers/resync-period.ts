/** How long a pod with containers rests between two looks, in milliseconds. */
import type { PodSpec } from "../../workload/index.ts";
import { delayAfterFailure, type ResyncTiming, resyncDelay } from "../resync.ts";
import type { PodStatus } from "../types.ts";
import { relistPeriod } from "./pleg.ts";

export interface SyncResult {
  readonly spec: PodSpec;
  readonly status: PodStatus;
  /** Whether the look went through, whatever it found. */
  readonly isDone: boolean;
}

export function requeueDelay({ spec, status, isDone }: SyncResult, timing: ResyncTiming): number {
  if (!isDone) return relistPeriod;
  const { containers, imageVolumes, settled, createdAt } = status;
  const all = [...containers, ...imageVolumes];
  const isHeldUp = all.some(({ state }) => state.kind === "waiting" && state.message !== "");
  const rest = isHeldUp ? delayAfterFailure(all, timing) : resyncDelay(timing);
  // What has just begun to run is looked at once more before it counts as running.
  const isNew = !settled && containers.some(({ state }) => state.kind === "running");
  const deadline = spec.activeDeadlineSeconds;
  const untilDeadline = deadline === undefined ? rest : createdAt + deadline * 1000 - timing.now;
  return Math.max(0, Math.min(rest, untilDeadline, isNew ? relistPeriod : rest));
}
