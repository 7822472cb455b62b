import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../support/clock.ts";

/** Time that goes by as soon as somebody waits for it. @param start milliseconds since the epoch */
export function hastyClock(start = 0): Clock {
  let now = start;
  return {
    now: () => now,
    sleep: async (milliseconds, signal) => {
      now += milliseconds;
      await turn();
      signal?.throwIfAborted();
    },
  };
}
