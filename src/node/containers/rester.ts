/** The rests between two looks at a pod, which end early when something of it has changed. */
import type { Clock } from "../../support/clock.ts";
import type { PodSpec } from "../../workload/pod-spec/index.ts";
import { restAfterFailure, resync } from "../rest.ts";
import type { PodStatus } from "../types.ts";
import { relistPeriod } from "./relist.ts";

export interface Rester {
  /** Ends the rest that is under way, or the next one at once. */
  wake(): void;
  /** @param isDone whether the look went through, whatever it found */
  rest(isDone: boolean, signal: AbortSignal): Promise<void>;
}

export interface ResterOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly spec: PodSpec;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly status: () => PodStatus;
}

export function createRester({ clock, random, spec, createdAt, status }: ResterOptions): Rester {
  let early = new AbortController();

  function length(isDone: boolean): number {
    if (!isDone) return relistPeriod;
    const { containers, imageVolumes, settled } = status();
    const rests = { now: clock.now(), random };
    const all = [...containers, ...imageVolumes];
    const isHeldUp = all.some(({ state }) => state.kind === "waiting" && state.message !== "");
    const rest = isHeldUp ? restAfterFailure(all, rests) : resync(rests);
    // What has just begun to run is looked at once more before it counts as running.
    const isNew = !settled && containers.some(({ state }) => state.kind === "running");
    const deadline = spec.activeDeadlineSeconds;
    const untilDeadline = deadline === undefined ? rest : createdAt + deadline * 1000 - clock.now();
    return Math.max(0, Math.min(rest, untilDeadline, isNew ? relistPeriod : rest));
  }

  return {
    wake: () => early.abort(),
    rest: async (isDone, signal) => {
      const { signal: woken } = early;
      const stop = () => early.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await clock.sleep(length(isDone), woken);
      } catch (error) {
        signal.throwIfAborted();
        if (!woken.aborted) throw error;
      } finally {
        signal.removeEventListener("abort", stop);
        early = new AbortController();
      }
    },
  };
}
