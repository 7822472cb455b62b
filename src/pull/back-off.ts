import type { ImageFacts } from "../policy/index.ts";
import type { Clock } from "../support/clock.ts";
import type { PulleyError } from "../support/errors.ts";

/** Growing waits after failures, one for each key (k8s client-go util/flowcontrol/backoff.go). Times in milliseconds. */
export interface BackOff {
  /** Notes a failure: the first wait, or twice the last one up to the longest. What is noted is kept with it. */
  next(key: string, noted: Noted): void;
  /** The wait that is under way, if one is. */
  current(key: string): Wait | undefined;
  /** Forgets waits that are long over. */
  collect(): void;
}

export interface Wait {
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
  readonly noted: Noted;
}

/** The failure that made a wait necessary. */
export interface Noted {
  readonly reason: string;
  readonly message: string;
  readonly advice: string | undefined;
  /** What made it a refusal by the rules, which may have become others by now. */
  readonly refused?: RefusedBecause;
}

/** What the image said of itself; or that nobody could be asked, and the copy on this machine may not stand in for that. */
export type RefusedBecause = { readonly facts: ImageFacts } | { readonly unreachable: PulleyError };

interface Entry {
  readonly delay: number;
  /** When the last failure was noted. */
  readonly since: number;
  readonly noted: Noted;
}

/** The kubelet's own numbers for images: `imageBackOffPeriod` and `MaxImageBackOff` (k8s pkg/kubelet/kubelet.go). */
const shortest = 10_000;
const longest = 300_000;

/** For those whose callers wait between two attempts by themselves, as a kubelet does: nobody is ever too early. */
export const noBackOff: BackOff = { next: () => undefined, current: () => undefined, collect: () => undefined };

export function createBackOff(clock: Clock): BackOff {
  const entries = new Map<string, Entry>();

  /** A failure this long after the one before starts anew. */
  function expired(entry: Entry): boolean {
    return clock.now() - entry.since > 2 * longest;
  }

  return {
    next: (key, noted) => {
      const last = entries.get(key);
      const delay = last === undefined || expired(last) ? shortest : Math.min(2 * last.delay, longest);
      entries.set(key, { delay, since: clock.now(), noted });
    },
    current: (key) => {
      const entry = entries.get(key);
      if (entry === undefined || clock.now() - entry.since >= entry.delay) return undefined;
      return { until: entry.since + entry.delay, noted: entry.noted };
    },
    collect: () => {
      for (const [key, entry] of entries) if (expired(entry)) entries.delete(key);
    },
  };
}
