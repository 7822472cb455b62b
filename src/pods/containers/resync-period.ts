/** How long a pod with containers rests between two looks, in milliseconds. */
import type { PodSpec } from "../../workload/index.ts";
import { type Rests, restAfterFailure, resync } from "../resync.ts";
import type { PodStatus } from "../types.ts";
import { relistPeriod } from "./pleg.ts";

export interface Rested {
  readonly spec: PodSpec;
  readonly status: PodStatus;
  /** Whether the look went through, whatever it found. */
  readonly isDone: boolean;
}

export function restLength({ spec, status, isDone }: Rested, rests: Rests): number {
  if (!isDone) return relistPeriod;
  const { containers, imageVolumes, settled, createdAt } = status;
  const all = [...containers, ...imageVolumes];
  const isHeldUp = all.some(({ state }) => state.kind === "waiting" && state.message !== "");
  const rest = isHeldUp ? restAfterFailure(all, rests) : resync(rests);
  // What has just begun to run is looked at once more before it counts as running.
  const isNew = !settled && containers.some(({ state }) => state.kind === "running");
  const deadline = spec.activeDeadlineSeconds;
  const untilDeadline = deadline === undefined ? rest : createdAt + deadline * 1000 - rests.now;
  return Math.max(0, Math.min(rest, untilDeadline, isNew ? relistPeriod : rest));
}
