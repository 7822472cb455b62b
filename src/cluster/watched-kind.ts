/**
 * The objects of one kind as they are now: listed once, then kept up to date. Nothing is lost, and nothing comes twice,
 * over dropped connections and API servers that start anew: a watch goes on where the last one was, and where the cluster
 * has forgotten that moment, the kind is listed again.
 */
import { type Clock, systemClock } from "../support/clock.ts";
import type { PulleyError } from "../support/errors.ts";
import type { JsonRecord } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import { cancellation } from "./exchange.ts";
import { type KindChange, KindStore } from "./kind-store.ts";
import { type ListedKind, listPaths } from "./kinds.ts";
import { Reflector } from "./reflector.ts";

export interface WatchKindOptions<T> {
  /** Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Called in the order of the changes. What the first list has is added. */
  readonly onChange?: (change: KindChange<T>) => void;
  /** Called with each failure. It is tried again; only too many objects, `TOO_LARGE`, are the end. */
  readonly onFailure?: (failure: PulleyError) => void;
  readonly signal?: AbortSignal | undefined;
  /** Objects that may be kept; default: 250 000. */
  readonly most?: number;
  readonly clock?: Clock;
  /** How long each watch lasts; default: between 150 and 300. */
  readonly seconds?: () => number;
}

export interface WatchedKind<T> {
  /** Resolves when everything is listed. Rejects with the reason if it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when everything is listed, or the first attempt to do so has failed: then there is a `failure`. */
  readonly settled: Promise<void>;
  /** Why what is here may be old; `undefined`: it is what the cluster has. */
  readonly failure: PulleyError | undefined;
  /** Since when, in milliseconds since the epoch: it was what the cluster had until then. */
  readonly failingSince: number | undefined;
  readonly size: number;
  values(): Iterable<T>;
  /** Resolves when everything is ended. */
  close(): Promise<void>;
}

const mostObjects = 250_000;

/** An API server that starts anew should not be asked by all at the same time again and again. */
const usualSeconds = () => 150 + Math.ceil(150 * Math.random());

/**
 * @param pick what is kept of an object: little, as there may be many; `undefined`: nothing
 * @throws PulleyError `INPUT_INVALID` if a namespace cannot be one
 */
export function watchKind<T>(
  api: ClusterApi,
  kind: ListedKind,
  pick: (object: JsonRecord) => T | undefined,
  options: WatchKindOptions<T> = {},
): WatchedKind<T> {
  return new KindWatch(api, listPaths(kind, options.namespaces), pick, options);
}

class KindWatch<T> implements WatchedKind<T> {
  readonly ready: Promise<void>;
  readonly settled: Promise<void>;
  readonly #store: KindStore<T>;
  readonly #ended = new AbortController();
  readonly #unlisted: Set<string>;
  readonly #failures = new Map<string, PulleyError>();
  readonly #running: Promise<unknown>;
  readonly #clock: Clock;
  #failingSince: number | undefined;
  readonly #onFailure: (failure: PulleyError) => void;
  #listed: () => void = () => undefined;
  #neverListed: (error: PulleyError) => void = () => undefined;
  #settle: () => void = () => undefined;

  constructor(
    api: ClusterApi,
    paths: readonly string[],
    pick: (object: JsonRecord) => T | undefined,
    options: WatchKindOptions<T>,
  ) {
    const { most = mostObjects, clock = systemClock, seconds = usualSeconds } = options;
    const { onChange = () => undefined, onFailure = () => undefined, signal: outer } = options;
    this.#store = new KindStore({ pick, most, onChange });
    this.#onFailure = onFailure;
    this.#clock = clock;
    this.#unlisted = new Set(paths);
    this.ready = new Promise((resolve, reject) => {
      this.#listed = resolve;
      this.#neverListed = reject;
    });
    this.ready.catch(() => undefined);
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const signal = outer === undefined ? this.#ended.signal : AbortSignal.any([outer, this.#ended.signal]);
    const shared = { api, store: this.#store, clock, seconds, signal };
    this.#tell();
    this.#running = Promise.all(
      paths.map(async (path) => {
        const onCurrent = () => this.#isCurrent(path);
        const reflector = new Reflector({ ...shared, path, onCurrent, onFailure: (error) => this.#fail(path, error) });
        const failure = await reflector.run();
        if (failure !== undefined) this.#end(path, failure);
      }),
    ).then(() => this.#neverListed(cancellation(signal)));
  }

  get failure(): PulleyError | undefined {
    return [...this.#failures.values()][0];
  }

  get failingSince(): number | undefined {
    return this.#failures.size === 0 ? undefined : this.#failingSince;
  }

  get size(): number {
    return this.#store.size;
  }

  values(): Iterable<T> {
    return this.#store.values();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  #isCurrent(path: string): void {
    this.#failures.delete(path);
    this.#unlisted.delete(path);
    this.#tell();
  }

  #fail(path: string, failure: PulleyError): void {
    if (this.#failures.size === 0) this.#failingSince = this.#clock.now();
    this.#failures.set(path, failure);
    this.#tell();
    this.#onFailure(failure);
  }

  /** There is no room for what the cluster has: what is here is of no use then, and goes. */
  #end(path: string, failure: PulleyError): void {
    this.#ended.abort(failure);
    this.#store.clear();
    this.#neverListed(failure);
    this.#fail(path, failure);
  }

  #tell(): void {
    if (this.#unlisted.size === 0) this.#listed();
    if ([...this.#unlisted].every((path) => this.#failures.has(path))) this.#settle();
  }
}
