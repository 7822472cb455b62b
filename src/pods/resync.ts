/**
 * How long the kubelet rests between two looks at a pod, in milliseconds (k8s pkg/kubelet/pod_workers.go, kubelet.go):
 * after a failure, as long as the shortest back-off lasts, or {@link retryAfter} where there is none; never longer than
 * {@link resyncAfter}.
 */
import type { ContainerStatus } from "./types.ts";

const retryAfter = 10_000;
const resyncAfter = 60_000;
/** Both are lengthened by up to this part of themselves, so that pods do not all move at once. */
const jitter = 0.5;

export interface Rests {
  /** @param random a number from 0 up to 1 */
  readonly now: number;
  readonly random: () => number;
}

/** How long to rest after a look that left something to do. */
export function restAfterFailure(containers: readonly ContainerStatus[], rests: Rests): number {
  const waits = waitsOf(containers, rests);
  const shortest = waits.length > 0 ? waits : [lengthened(retryAfter, rests)];
  return Math.max(0, Math.min(resync(rests), ...shortest));
}

export function resync(rests: Rests): number {
  return lengthened(resyncAfter, rests);
}

function waitsOf(containers: readonly ContainerStatus[], rests: Rests): readonly number[] {
  return containers.flatMap(({ state, backOffUntil }) => {
    if (state.kind !== "waiting" || backOffUntil === undefined) return [];
    const isBackingOff = state.reason === "ImagePullBackOff" || state.reason === "CrashLoopBackOff";
    return [isBackingOff ? backOffUntil - rests.now : lengthened(retryAfter, rests)];
  });
}

function lengthened(milliseconds: number, { random }: Rests): number {
  return milliseconds * (1 + jitter * random());
}
