/** One list and the watches that follow it, until it is ended (k8s client-go tools/cache/reflector.go). */
import type { Clock } from "../support/clock.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { type RetryPlan, retryDelay } from "../support/retry.ts";
import type { ClusterApi } from "./api.ts";
import type { KindStore } from "./kind-store.ts";
import { readSnapshot } from "./snapshot.ts";
import type { WatchEvent } from "./watch.ts";

export interface ReflectorOptions<T> {
  readonly api: ClusterApi;
  readonly path: string;
  readonly store: KindStore<T>;
  readonly clock: Clock;
  /** How long each watch lasts, chosen anew for each. */
  readonly seconds: () => number;
  readonly signal: AbortSignal;
  /** Called when the store has what the cluster has: after each list, and when a watch goes on. */
  readonly onCurrent: () => void;
  readonly onFailure: (failure: PulleyError) => void;
}

/** Milliseconds between attempts, of which there is no end. */
const plan: RetryPlan = { attempts: Number.POSITIVE_INFINITY, first: 1_000, factor: 2, longest: 60_000, jitter: 0.5 };

/** Milliseconds that a server may ask to wait. */
const longestWait = 600_000;

/** Failures in a row after which it is not believed that the watch can go on where it was. */
const mostResumes = 5;

/** Milliseconds: a watch that ends earlier has failed, even if the server says nothing. */
const shortest = 1_000;

/** Milliseconds after which a watch was a good one, though nothing has happened. */
const good = 10_000;

export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  /** Where the watch goes on; `undefined`: the kind is listed first. */
  #version: string | undefined;
  /** In a row. */
  #failures = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** Until the signal comes. @returns the failure with which it ended before: the store is full */
  async run(): Promise<PulleyError | undefined> {
    const { signal, store, onFailure } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        else await this.#watch(this.#version);
      } catch (error) {
        if (signal.aborted) return undefined;
        const failure = isPulleyError(error) ? error : unforeseen(error);
        if (store.isFull) return failure;
        onFailure(failure);
        this.#failures += 1;
        if (!isPassing(failure) || this.#failures > mostResumes) this.#version = undefined;
        await this.#pause(failure.retryAfter);
      }
    }
    return undefined;
  }

  async #list(): Promise<void> {
    const { api, path, store, signal, onCurrent } = this.#options;
    const keys = new Set<string>();
    const snapshot = await readSnapshot(api, { path, take: (object) => keys.add(store.put(object, path)), signal });
    if (snapshot.kind === "expired") {
      throw new PulleyError("CLUSTER_FAILED", `context "${api.name}": GET ${path}: ${snapshot.message}`);
    }
    store.retain(path, keys);
    onCurrent();
    if (snapshot.kind === "listed") this.#version = snapshot.version;
    else await this.#sleep(plan.longest * (1 - plan.jitter * Math.random()));
  }

  async #watch(version: string): Promise<void> {
    const { api, path, clock, seconds, signal, onCurrent } = this.#options;
    const began = clock.now();
    let isOver = false;
    try {
      for await (const event of api.watch({ path, version, seconds: seconds(), signal })) {
        if (event.kind === "opened") onCurrent();
        else if (event.kind === "expired" || event.kind === "absent") isOver = true;
        else this.#take(event);
      }
    } finally {
      if (clock.now() - began >= good) this.#failures = 0;
    }
    if (isOver) await this.#startAnew();
    else if (this.#version === version && clock.now() - began < shortest) {
      throw new PulleyError("CLUSTER_UNREACHABLE", `context "${api.name}": GET ${path}: the watch ended at once`);
    }
  }

  #take(event: Extract<WatchEvent, { readonly version: string }>): void {
    const { path, store } = this.#options;
    if (event.kind === "deleted") store.remove(event.object);
    else if (event.kind !== "bookmark") store.put(event.object, path);
    this.#version = event.version;
    this.#failures = 0;
  }

  /** At once the first time. */
  async #startAnew(): Promise<void> {
    this.#version = undefined;
    this.#failures += 1;
    if (this.#failures > 1) await this.#pause(undefined);
  }

  async #pause(asked = 0): Promise<void> {
    await this.#sleep(Math.max(retryDelay(plan, this.#failures, Math.random), Math.min(asked, longestWait)));
  }

  /** Until then, or until the signal comes. */
  async #sleep(milliseconds: number): Promise<void> {
    const { clock, signal } = this.#options;
    await clock.sleep(milliseconds, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** Whether the next watch may go on where this one was. */
function isPassing(failure: PulleyError): boolean {
  return failure.code === "CLUSTER_UNREACHABLE" || failure.retryAfter !== undefined;
}

function unforeseen(error: unknown): PulleyError {
  return new PulleyError("INTERNAL", errorText(error), { cause: error });
}
