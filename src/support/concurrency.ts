/** Who may do how much at once: work that is shared, places that are given out, tokens that come back. */
import type { Clock } from "./clock.ts";
import { PulleyError } from "./errors.ts";

/** What one caller wants of work that it may share with others. */
export interface Waiter<Progress> {
  /** The caller stops waiting when it aborts; the others go on. */
  readonly signal?: AbortSignal | undefined;
  /** Called at once with the last progress, if there is any, then with each that follows. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What the work is given, each time that it is started. */
export interface Task<Progress> {
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  readonly report: (progress: Progress) => void;
}

export type Work<Result, Progress> = (task: Task<Progress>) => Promise<Result>;

/** Work that is under way at most once for each key, whoever asks for it. */
export interface SingleFlight<Result, Progress> {
  /**
   * Waits for the work under `key`, and starts it if it is not under way. All who wait get the same result or failure;
   * who leaves gets the reason of its own signal. The work is aborted when the last leaves, who waits for its end, so
   * that nothing of it goes on behind anybody's back; and work for the same key begins only after that.
   */
  join(key: string, work: Work<Result, Progress>, waiter?: Waiter<Progress>): Promise<Result>;
  has(key: string): boolean;
}

interface RunningTask<Result, Progress> {
  readonly result: Promise<Result>;
  readonly controller: AbortController;
  readonly waiters: Set<Waiter<Progress>>;
  progress: { readonly last: Progress } | undefined;
}

export function createSingleFlight<Result, Progress = never>(): SingleFlight<Result, Progress> {
  const tasks = new Map<string, RunningTask<Result, Progress>>();

  function start(key: string, work: Work<Result, Progress>, predecessor: Promise<unknown> | undefined) {
    const controller = new AbortController();
    const waiters = new Set<Waiter<Progress>>();
    const report = (progress: Progress) => {
      running.progress = { last: progress };
      for (const waiter of waiters) waiter.onProgress?.(progress);
    };
    const run = async () => {
      try {
        await predecessor?.catch(() => undefined);
        controller.signal.throwIfAborted();
        return await work({ signal: controller.signal, report });
      } finally {
        if (tasks.get(key) === running) tasks.delete(key);
      }
    };
    // The work begins after its task is known, so that progress that it reports at once already finds its waiters.
    const result = Promise.resolve().then(run);
    const running: RunningTask<Result, Progress> = { result, controller, waiters, progress: undefined };
    tasks.set(key, running);
    return running;
  }

  function wait(running: RunningTask<Result, Progress>, waiter: Waiter<Progress>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiter.signal?.removeEventListener("abort", giveUp);
        running.waiters.delete(waiter);
      };
      const giveUp = () => {
        leave();
        const left = () => reject(waiter.signal?.reason);
        if (running.waiters.size > 0) return left();
        running.result.then(left, left);
        running.controller.abort(nobodyWaits());
      };
      running.waiters.add(waiter);
      waiter.signal?.addEventListener("abort", giveUp, { once: true });
      if (running.progress !== undefined) waiter.onProgress?.(running.progress.last);
      running.result.finally(leave).then(resolve, reject);
    });
  }

  return {
    has: (key) => tasks.has(key),
    join: async (key, work, waiter = {}) => {
      waiter.signal?.throwIfAborted();
      const current = tasks.get(key);
      const joinable = current !== undefined && !current.controller.signal.aborted;
      // A copy, so that one waiter object given twice counts as two.
      return wait(joinable ? current : start(key, work, current?.result), { ...waiter });
    },
  };
}

function nobodyWaits(): PulleyError {
  return new PulleyError("CANCELLED", "cancelled, because nobody waits for it any more");
}

/** A number of places, given out in the order of asking. */
export interface Semaphore {
  /** Waits for a place. Resolves to the function that releases it; a second call of that does nothing. */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

interface PlaceWaiter {
  readonly call: () => void;
}

/** @param places how many may hold a place at once; `Infinity` for no limit */
export function createSemaphore(places: number): Semaphore {
  let taken = 0;
  const queue: PlaceWaiter[] = [];

  function place(): () => void {
    taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= 1;
      queue.shift()?.call();
    };
  }

  return {
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (taken < places) {
          resolve(place());
          return;
        }
        const leave = () => {
          queue.splice(queue.indexOf(waiter), 1);
          reject(signal?.reason);
        };
        const waiter: PlaceWaiter = {
          call: () => {
            signal?.removeEventListener("abort", leave);
            resolve(place());
          },
        };
        queue.push(waiter);
        signal?.addEventListener("abort", leave, { once: true });
      }),
  };
}

/** A token bucket that starts full (k8s client-go util/flowcontrol/throttle.go). */
export interface TokenBucket {
  /** Takes a token if there is one; never waits. */
  tryAccept(): boolean;
}

/** @param qps tokens that come back each second; 0 for no limit. @param burst the size of the bucket */
export function createTokenBucket(qps: number, burst: number, clock: Clock): TokenBucket {
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

/** Memory that many share: what would exceed it is refused. */
export interface MemoryBudget {
  /** Takes bytes; `false`, and none taken, if there are not so many left. */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

/** @param size bytes in all */
export function createMemoryBudget(size: number): MemoryBudget {
  let left = size;
  return {
    take: (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    release: (bytes) => {
      left += bytes;
    },
  };
}

/**
 * Runs one at a time. Who asks while it runs shares the next run with all others who ask until that begins: every
 * caller gets the outcome of a run that began after the call.
 */
export function coalesce<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  let waiting: Promise<Value> | undefined;

  async function runNext(): Promise<Value> {
    await running?.catch(() => undefined);
    waiting = undefined;
    running = run();
    return running;
  }

  return () => {
    waiting ??= runNext();
    return waiting;
  };
}

/** Processes items in their order, `places` at once. Ends with the first failure. */
export async function inParallel<Item>(
  items: readonly Item[],
  places: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(places, items.length) }, worker));
}

/**
 * Reads sources side by side, `places` at once, and gives what comes from them one source after the other: what comes
 * from a later one waits in memory until those before it have ended. Throws the first failure in that order; no source
 * is begun or read on after that.
 */
export async function* readAhead<Value>(
  sources: readonly AsyncIterable<Value>[],
  places: number,
): AsyncGenerator<Value> {
  const readings = sources.map((source) => new AheadReading(source));
  const all = inParallel(readings, places, (reading) => reading.run());
  try {
    for (const reading of readings) yield* reading.values();
  } finally {
    for (const reading of readings) reading.stop();
  }
  await all;
}

/** A source that is read before anybody asks for what is in it. */
class AheadReading<Value> {
  readonly #source: AsyncIterable<Value>;
  readonly #values: Value[] = [];
  #end: { readonly failure?: unknown } | undefined;
  #isStopped = false;
  #wake = () => {};

  constructor(source: AsyncIterable<Value>) {
    this.#source = source;
  }

  /** Never fails. */
  async run(): Promise<void> {
    if (this.#isStopped) return;
    try {
      for await (const value of this.#source) {
        if (this.#isStopped) break;
        this.#values.push(value);
        this.#wake();
      }
      this.#end = {};
    } catch (failure) {
      this.#end = { failure };
    }
    this.#wake();
  }

  async *values(): AsyncGenerator<Value> {
    for (;;) {
      yield* this.#values.splice(0);
      if (this.#values.length > 0) continue;
      if (this.#end !== undefined) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if ("failure" in this.#end) throw this.#end.failure;
  }

  stop(): void {
    this.#isStopped = true;
  }
}
