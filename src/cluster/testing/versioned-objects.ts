/** Objects with the versions of etcd: one counter for all, every change known, until the old ones are forgotten. */
import { EventEmitter } from "node:events";
import type { ListedKind } from "../kinds.ts";

export interface ObjectMetadata {
  readonly namespace?: string;
  readonly name: string;
  /** Default: made of the key. */
  readonly uid?: string;
}

export interface ServedObject {
  readonly metadata: ObjectMetadata;
  readonly [field: string]: unknown;
}

export interface VersionedObject {
  readonly key: string;
  readonly version: number;
  /** Made when it is asked for, so that a hundred thousand take no memory. */
  readonly read: () => ServedObject;
}

export interface Change {
  readonly version: number;
  /** `undefined`: it was not there. */
  readonly before: VersionedObject | undefined;
  /** `undefined`: it is gone. */
  readonly after: VersionedObject | undefined;
}

export function keyOf({ namespace = "", name }: ObjectMetadata): string {
  return `${namespace}/${name}`;
}

/** The counter, and what of it is forgotten. */
export class Versions {
  latest = 1;
  /** The oldest that can still be read. */
  oldest = 1;
}

/** The objects of one kind. */
export class VersionedObjects {
  readonly #versions: Versions;
  readonly #objects = new Map<string, VersionedObject>();
  readonly #changes: Change[] = [];
  readonly #emitter = new EventEmitter<{ change: [Change] }>();
  /** Keys as they are now, in order; `undefined`: to be made. */
  #keys: readonly string[] | undefined;

  constructor(versions: Versions) {
    this.#versions = versions;
    this.#emitter.setMaxListeners(0);
  }

  put(metadata: ObjectMetadata, read: () => ServedObject): void {
    const key = keyOf(metadata);
    this.#versions.latest += 1;
    this.#change(key, { key, version: this.#versions.latest, read });
  }

  remove(metadata: ObjectMetadata): void {
    const key = keyOf(metadata);
    if (!this.#objects.has(key)) throw new Error(`there is no ${key}`);
    this.#versions.latest += 1;
    this.#change(key, undefined);
  }

  get(metadata: ObjectMetadata): VersionedObject | undefined {
    return this.#objects.get(keyOf(metadata));
  }

  /** Those of one version, in the order of their keys. */
  at(version: number): readonly VersionedObject[] {
    const since = this.changesSince(version);
    this.#keys ??= [...this.#objects.keys()].sort();
    if (since.length === 0) return this.#keys.flatMap((key) => this.#objects.get(key) ?? []);
    const objects = new Map(this.#objects);
    for (const { before, after } of since.toReversed()) {
      if (after !== undefined) objects.delete(after.key);
      if (before !== undefined) objects.set(before.key, before);
    }
    return [...objects.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  changesSince(version: number): readonly Change[] {
    return this.#changes.slice(this.#changes.findLastIndex((change) => change.version <= version) + 1);
  }

  get lastChange(): number | undefined {
    return this.#changes.at(-1)?.version;
  }

  /** @returns a function that ends it */
  listen(listener: (change: Change) => void): () => void {
    this.#emitter.on("change", listener);
    return () => this.#emitter.off("change", listener);
  }

  #change(key: string, after: VersionedObject | undefined): void {
    const before = this.#objects.get(key);
    if (after === undefined) this.#objects.delete(key);
    else this.#objects.set(key, after);
    if ((before === undefined) !== (after === undefined)) this.#keys = undefined;
    const change = { version: this.#versions.latest, before, after };
    this.#changes.push(change);
    this.#emitter.emit("change", change);
  }
}

/** What is asked for. */
export interface ServedRequest {
  readonly kind: ListedKind;
  readonly objects: VersionedObjects;
  /** `undefined`: all. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly query: URLSearchParams;
  readonly versions: Versions;
  /** The oldest version from which a watch can go on. */
  readonly watchedFrom: number;
}
