/** The back-off of a container that ended before it is started again (k8s kuberuntime_manager.go, `doBackOff`). */
import type { Clock } from "../../support/clock.ts";

export interface CrashBackOff {
  /** The back-off that is left after an end at `finishedAt`. */
  waiting(name: string, finishedAt: number): CrashWait | undefined;
  /** Notes that it is started again. */
  next(name: string, finishedAt: number): void;
}

export interface CrashWait {
  /** The whole back-off, in milliseconds. */
  readonly delay: number;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
}

/** The first and the longest back-off, in milliseconds, as in `crashLoopBackOff` of the kubelet's configuration. */
export interface CrashLimits {
  readonly initial: number;
  readonly maxContainerRestartPeriod: number;
}

const usualLimits: CrashLimits = { initial: 10_000, maxContainerRestartPeriod: 300_000 };

/** A container that ran for so long after a restart begins with the first back-off again. */
const forgotten = 600_000;

export function createCrashBackOff(clock: Clock, limits: CrashLimits = usualLimits): CrashBackOff {
  const { initial, maxContainerRestartPeriod: longest } = limits;
  const entries = new Map<string, { readonly delay: number; readonly since: number }>();
  const current = (name: string, finishedAt: number) => {
    const entry = entries.get(name);
    return entry === undefined || finishedAt - entry.since > forgotten ? undefined : entry;
  };
  return {
    waiting: (name, finishedAt) => {
      const entry = current(name, finishedAt);
      if (entry === undefined || clock.now() - finishedAt >= entry.delay) return undefined;
      return { delay: entry.delay, until: finishedAt + entry.delay };
    },
    next: (name, finishedAt) => {
      const entry = current(name, finishedAt);
      const delay = entry === undefined ? initial : Math.min(2 * entry.delay, longest);
      entries.set(name, { delay, since: clock.now() });
    },
  };
}
