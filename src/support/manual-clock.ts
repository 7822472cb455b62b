import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "./clock.ts";

/** A clock for tests: it stands still until it is moved. */
export interface ManualClock extends Clock {
  /** How many sleeps are under way. */
  readonly sleepers: number;
  /**
   * Moves on by `milliseconds`, waking every sleep that falls due, in order, each at its own time. After each waking,
   * `idle` says when everything that followed from it is done: by default when the event loop has turned once, which
   * is enough where nothing but promises follows.
   */
  advance(milliseconds: number, idle?: () => Promise<unknown>): Promise<void>;
}

interface Sleep {
  readonly due: number;
  readonly wake: () => void;
}

export function manualClock(start = 0): ManualClock {
  let now = start;
  const sleeps = new Set<Sleep>();

  /** The earliest, and of several at one time the first that began. */
  function nextDue(end: number): Sleep | undefined {
    let next: Sleep | undefined;
    for (const sleep of sleeps) if (sleep.due <= end && (next === undefined || sleep.due < next.due)) next = sleep;
    return next;
  }

  return {
    now: () => now,
    get sleepers() {
      return sleeps.size;
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const stop = () => {
          sleeps.delete(sleep);
          reject(signal?.reason);
        };
        const wake = () => {
          sleeps.delete(sleep);
          signal?.removeEventListener("abort", stop);
          resolve();
        };
        const sleep: Sleep = { due: now + Math.max(0, milliseconds), wake };
        sleeps.add(sleep);
        signal?.addEventListener("abort", stop, { once: true });
      }),
    advance: async (milliseconds, idle = () => turn()) => {
      const end = now + milliseconds;
      await idle();
      for (let sleep = nextDue(end); sleep !== undefined; sleep = nextDue(end)) {
        now = Math.max(now, sleep.due);
        sleep.wake();
        await idle();
      }
      now = end;
    },
  };
}
