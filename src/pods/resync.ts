/**
 * The kubelet's time between two syncs of a pod, in milliseconds (k8s pkg/kubelet/pod_workers.go, kubelet.go):
 * after a failure, as long as the shortest back-off lasts, or {@link retryAfter} where there is none; never longer than
 * {@link resyncAfter}.
 */
import type { PodSpec } from "../workload/index.ts";
import { relistPeriod } from "./containers/pleg.ts";
import type { ContainerStatus, PodStatus } from "./types.ts";

const retryAfter = 10_000;
const resyncAfter = 60_000;
/** Both are lengthened by up to this part of themselves, so that pods do not all move at once. */
const jitter = 0.5;

export interface ResyncTiming {
  /** @param random a number from 0 up to 1 */
  readonly now: number;
  readonly random: () => number;
}

/** The time until the next sync, after one that left something to do. */
export function delayAfterFailure(containers: readonly ContainerStatus[], timing: ResyncTiming): number {
  const waits = waitsOf(containers, timing);
  const shortest = waits.length > 0 ? waits : [lengthened(retryAfter, timing)];
  return Math.max(0, Math.min(resyncDelay(timing), ...shortest));
}

export function resyncDelay(timing: ResyncTiming): number {
  return lengthened(resyncAfter, timing);
}

function waitsOf(containers: readonly ContainerStatus[], timing: ResyncTiming): readonly number[] {
  return containers.flatMap(({ state, backOffUntil }) => {
    if (state.kind !== "waiting" || backOffUntil === undefined) return [];
    const isBackingOff = state.reason === "ImagePullBackOff" || state.reason === "CrashLoopBackOff";
    return [isBackingOff ? backOffUntil - timing.now : lengthened(retryAfter, timing)];
  });
}

function lengthened(milliseconds: number, { random }: ResyncTiming): number {
  return milliseconds * (1 + jitter * random());
}

interface SyncResult {
  readonly spec: PodSpec;
  readonly status: PodStatus;
  /** Whether the last sync was completed. */
  readonly isDone: boolean;
}

/** The time until a pod with containers is synced again, in milliseconds. */
export function requeueDelay({ spec, status, isDone }: SyncResult, timing: ResyncTiming): number {
  if (!isDone) return relistPeriod;
  const { containers, imageVolumes, settled, createdAt } = status;
  const all = [...containers, ...imageVolumes];
  const isHeldUp = all.some(({ state }) => state.kind === "waiting" && state.message !== "");
  const rest = isHeldUp ? delayAfterFailure(all, timing) : resyncDelay(timing);
  // What has just begun to run is checked once more before it counts as running.
  const isNew = !settled && containers.some(({ state }) => state.kind === "running");
  const deadline = spec.activeDeadlineSeconds;
  const untilDeadline = deadline === undefined ? rest : createdAt + deadline * 1000 - timing.now;
  return Math.max(0, Math.min(rest, untilDeadline, isNew ? relistPeriod : rest));
}
