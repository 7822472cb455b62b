import { PulleyError } from "./errors.ts";

/** What one caller wants of a flight that it may share with others. */
export interface Waiter<Progress> {
  /** Leaves the flight when it aborts; the others go on. */
  readonly signal?: AbortSignal | undefined;
  /** Hears at once how far the flight is when it joins, then everything that follows. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What the work itself is given. */
export interface Crew<Progress> {
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  readonly report: (progress: Progress) => void;
}

export type Work<Result, Progress> = (crew: Crew<Progress>) => Promise<Result>;

/** Work that is under way at most once for each key, whoever asks for it. */
export interface Flights<Result, Progress> {
  /**
   * Waits for the work under `key`, and starts it if it is not under way. All who wait get the same result or failure;
   * who leaves gets the reason of its own signal. The work is aborted when the last leaves, who waits for its end, so
   * that nothing of it goes on behind anybody's back; and work for the same key begins only after that.
   */
  join(key: string, work: Work<Result, Progress>, waiter?: Waiter<Progress>): Promise<Result>;
  has(key: string): boolean;
}

interface Flight<Result, Progress> {
  readonly landing: Promise<Result>;
  readonly controller: AbortController;
  readonly waiters: Set<Waiter<Progress>>;
  progress: { readonly last: Progress } | undefined;
}

export function createFlights<Result, Progress = never>(): Flights<Result, Progress> {
  const flights = new Map<string, Flight<Result, Progress>>();

  function takeOff(key: string, work: Work<Result, Progress>, predecessor: Promise<unknown> | undefined) {
    const controller = new AbortController();
    const waiters = new Set<Waiter<Progress>>();
    const report = (progress: Progress) => {
      flight.progress = { last: progress };
      for (const waiter of waiters) waiter.onProgress?.(progress);
    };
    const fly = async () => {
      try {
        await predecessor?.catch(() => undefined);
        controller.signal.throwIfAborted();
        return await work({ signal: controller.signal, report });
      } finally {
        if (flights.get(key) === flight) flights.delete(key);
      }
    };
    // The work begins after the flight is known, so that what it does at once already finds its waiters.
    const landing = Promise.resolve().then(fly);
    const flight: Flight<Result, Progress> = { landing, controller, waiters, progress: undefined };
    flights.set(key, flight);
    return flight;
  }

  function wait(flight: Flight<Result, Progress>, waiter: Waiter<Progress>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiter.signal?.removeEventListener("abort", giveUp);
        flight.waiters.delete(waiter);
      };
      const giveUp = () => {
        leave();
        const left = () => reject(waiter.signal?.reason);
        if (flight.waiters.size > 0) return left();
        flight.landing.then(left, left);
        flight.controller.abort(nobodyWaits());
      };
      flight.waiters.add(waiter);
      waiter.signal?.addEventListener("abort", giveUp, { once: true });
      if (flight.progress !== undefined) waiter.onProgress?.(flight.progress.last);
      flight.landing.finally(leave).then(resolve, reject);
    });
  }

  return {
    has: (key) => flights.has(key),
    join: async (key, work, waiter = {}) => {
      waiter.signal?.throwIfAborted();
      const current = flights.get(key);
      const joinable = current !== undefined && !current.controller.signal.aborted;
      // A copy, so that one waiter object given twice counts as two.
      return wait(joinable ? current : takeOff(key, work, current?.landing), { ...waiter });
    },
  };
}

function nobodyWaits(): PulleyError {
  return new PulleyError("CANCELLED", "cancelled, because nobody waits for it any more");
}
