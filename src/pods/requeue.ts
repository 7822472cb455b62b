/** Waits between two syncs of a pod; the wait ends early when something has changed that the pod may wait for. */
import type { Clock } from "../support/clock.ts";

export interface Requeue {
  /** Ends the wait that is under way, or the next one at once. */
  wake(): void;
  /** Rejects with the signal's reason, and with nothing else. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export function createRequeue(clock: Clock): Requeue {
  let early = new AbortController();

  return {
    wake: () => early.abort(),
    wait: async (milliseconds, signal) => {
      signal.throwIfAborted();
      const { signal: woken } = early;
      const stop = () => early.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await clock.sleep(milliseconds, woken);
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
