/** What is kept of the objects of one kind, and what changes about it. */
import { PulleyError } from "../support/errors.ts";
import { type JsonRecord, recordAt, textAt } from "../support/json-record.ts";
import { keyOf } from "./list.ts";

export type KindChange<T> =
  | { readonly kind: "added"; readonly value: T }
  | { readonly kind: "modified"; readonly value: T; readonly before: T }
  | { readonly kind: "removed"; readonly before: T };

export interface KindStoreOptions<T> {
  /** What is kept of an object; `undefined`: nothing. */
  readonly pick: (object: JsonRecord) => T | undefined;
  /** Objects of which something is kept. */
  readonly most: number;
  readonly onChange: (change: KindChange<T>) => void;
}

interface Entry<T> {
  readonly uid: string;
  readonly version: string;
  /** Of the list that the object is in. */
  readonly path: string;
  readonly value: T;
}

export class KindStore<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #options: KindStoreOptions<T>;
  #isFull = false;

  constructor(options: KindStoreOptions<T>) {
    this.#options = options;
  }

  /** Whether there was one object too many. */
  get isFull(): boolean {
    return this.#isFull;
  }

  get size(): number {
    return this.#entries.size;
  }

  *values(): Generator<T, void> {
    for (const { value } of this.#entries.values()) yield value;
  }

  /**
   * Takes an object as it is now. One that is there in this version already is no change.
   * @returns its key
   * @throws PulleyError `TOO_LARGE` if there are too many
   */
  put(object: JsonRecord, path: string): string {
    const { pick, most, onChange } = this.#options;
    const metadata = recordAt(object, "metadata");
    const key = keyOf(object);
    const uid = textAt(metadata, "uid") ?? "";
    const version = textAt(metadata, "resourceVersion") ?? "";
    const known = this.#entries.get(key);
    if (known?.uid === uid && known.version === version) return key;
    const value = pick(object);
    if (value === undefined || (known !== undefined && known.uid !== uid)) this.#delete(key);
    if (value === undefined) return key;
    if (this.#isFull || (!this.#entries.has(key) && this.#entries.size >= most)) {
      this.#isFull = true;
      throw tooMany(path, most);
    }
    this.#entries.set(key, { uid, version, path, value });
    onChange(known?.uid === uid ? { kind: "modified", value, before: known.value } : { kind: "added", value });
    return key;
  }

  remove(object: JsonRecord): void {
    this.#delete(keyOf(object));
  }

  /** Removes what a list did not have. */
  retain(path: string, keys: ReadonlySet<string>): void {
    for (const [key, entry] of this.#entries) if (entry.path === path && !keys.has(key)) this.#delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #delete(key: string): void {
    const known = this.#entries.get(key);
    if (known === undefined) return;
    this.#entries.delete(key);
    this.#options.onChange({ kind: "removed", before: known.value });
  }
}

function tooMany(path: string, most: number): PulleyError {
  return new PulleyError("TOO_LARGE", `${path}: the cluster has more than ${most} objects`, {
    advice: "Name the namespaces that matter.",
  });
}
