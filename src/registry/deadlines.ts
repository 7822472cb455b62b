/**
 * How long a registry may take: a document has one deadline for all of it, with its redirects, tokens, attempts and waits;
 * a blob, which may be large, has to come at a least rate. So a server that sends a byte now and then cannot hold a
 * request for ever.
 */
import type { Clock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { cancellation } from "./failure.ts";

export interface Deadline {
  readonly clock: Clock;
  readonly milliseconds: number;
  /** What is asked for, for the failure's text. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** A clock for deadlines that stands still while something is waited for that is nobody's slowness. */
export interface PausedClock extends Clock {
  /** Does not count the time until the work ends. */
  pause<T>(work: Promise<T>): Promise<T>;
}

export function pausable(clock: Clock): PausedClock {
  let pauses = 0;
  let since = 0;
  let before = 0;
  const paused = () => before + (pauses > 0 ? clock.now() - since : 0);

  return {
    now: clock.now,
    sleep: async (milliseconds, signal) => {
      let counted = paused();
      for (let left = milliseconds; left > 0; ) {
        await clock.sleep(left, signal);
        left = paused() - counted;
        counted += left;
      }
    },
    pause: async (work) => {
      if (pauses === 0) since = clock.now();
      pauses += 1;
      try {
        return await work;
      } finally {
        pauses -= 1;
        if (pauses === 0) before += clock.now() - since;
      }
    },
  };
}

/** A clock whose sleeps a deadline does not count. */
export function pausing(clock: Clock, deadline: PausedClock): Clock {
  return { now: clock.now, sleep: (milliseconds, signal) => deadline.pause(clock.sleep(milliseconds, signal)) };
}

/** A wait that others share goes on without a caller who has given up. */
export async function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return shared;
  if (signal.aborted) {
    shared.catch(() => undefined);
    throw cancellation(signal);
  }
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([shared, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Why a deadline is waited for no longer; without a reason of ours, a stack would be written down for each. */
const over = "over";

/**
 * Runs work until its deadline; after that its signal aborts, and it is no longer waited for.
 * @throws PulleyError `REGISTRY_STALLED` when the time is over, or what the work throws
 */
export async function inTime<T>(deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, milliseconds, what, signal } = deadline;
  const late = new AbortController();
  const done = new AbortController();
  const tooLate = clock.sleep(milliseconds, done.signal).then(() => {
    const text = `${what}: the answer was not complete within ${milliseconds / 1000} s`;
    const failure = new PulleyError("REGISTRY_STALLED", text);
    late.abort(failure);
    throw failure;
  });
  tooLate.catch(() => undefined);
  try {
    const both = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    return await Promise.race([work(both), tooLate]);
  } finally {
    done.abort(over);
  }
}

/**
 * Milliseconds for which the rate is an average: as long as containerd waits for progress
 * (`image_pull_progress_timeout`).
 */
export const rateWindow = 5 * 60_000;
/** The window moves on in steps. */
const steps = 10;

export interface RateWatch {
  /** Aborts with `REGISTRY_STALLED` when too little has come for a whole window. */
  readonly signal: AbortSignal;
  /** To be called with the length of each piece. */
  received(bytes: number): void;
  /** Ends the watch. */
  end(): void;
}

export interface RateLimit {
  readonly clock: Clock;
  /** Bytes a second, on average over every {@link rateWindow}; 0: any. */
  readonly leastRate: number;
  readonly what: string;
}

/** Watches how fast something comes, over as many connections as it takes, with the waits between them. */
export function watchRate({ clock, leastRate, what }: RateLimit): RateWatch {
  const slow = new AbortController();
  const ended = new AbortController();
  const least = (leastRate * rateWindow) / 1000;
  let received = 0;

  async function watch(): Promise<void> {
    /** What had been received at the steps of the window. */
    const before = [0];
    for (;;) {
      await clock.sleep(rateWindow / steps, ended.signal);
      const start = before.length > steps - 1 ? before.shift() : undefined;
      before.push(received);
      if (start === undefined || received - start >= least) continue;
      const text = `${what}: ${received - start} bytes in ${rateWindow / 1000} s, less than ${leastRate} a second`;
      slow.abort(
        new PulleyError("REGISTRY_STALLED", text, {
          advice: "Check the network; --least-rate sets how slow a registry may be. What was received is kept.",
        }),
      );
      return;
    }
  }

  if (leastRate > 0) watch().catch(() => undefined);
  return {
    signal: slow.signal,
    received: (bytes) => {
      received += bytes;
    },
    end: () => ended.abort(over),
  };
}
