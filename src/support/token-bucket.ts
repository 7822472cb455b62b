import type { Clock } from "./clock.ts";

/** A token bucket that starts full (k8s client-go util/flowcontrol/throttle.go). */
export interface Throttle {
  /** Takes a token if there is one; never waits. */
  tryAccept(): boolean;
}

/** @param qps tokens that come back each second; 0 for no limit. @param burst the size of the bucket */
export function createThrottle(qps: number, burst: number, clock: Clock): Throttle {
  if (qps <= 0) return { tryAccept: () => true };
  let tokens = burst;
  let filledAt = clock.now();
  return {
    tryAccept: () => {
      const now = clock.now();
      tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * qps);
      filledAt = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
