/** The folder of records, cached in memory until this or another process changes it. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { link, rename } from "node:fs/promises";
import { join } from "node:path";
import { coalesce } from "../../support/concurrency.ts";
import { errorText, hasErrno, isPulleyError } from "../../support/errors.ts";
import { Catalog } from "../catalog.ts";
import { moveFile, randomName, removeFile, syncDirectory, unlessExisting, writeNew } from "../files.ts";
import { type StoredRecord } from "../stored-record.ts";
import { type StorePaths, temporaryPath } from "./paths.ts";
import { formatRecord, parseRecord, recordFile, recordLimit } from "./record.ts";

const recordName = /^[0-9a-f]{64}$/;

/** A record's file as it was when it was read. */
interface CachedRecord {
  /** Nanoseconds since the epoch. */
  readonly modified: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  /** Whether the file had stood for long enough when it was read that another change would show. */
  readonly settled: boolean;
  readonly record: StoredRecord;
}

/** The catalog, and the state of the folder when it was read. */
export interface CatalogState {
  readonly catalog: Catalog;
  /** Nanoseconds since the epoch. */
  readonly modified: bigint;
  /** The same in whole milliseconds. */
  readonly modifiedAt: number;
  /** Whether any change after this must show in the folder's modification. */
  readonly settled: boolean;
}

export class Records {
  readonly #paths: StorePaths;
  readonly #onSetAside: () => void;
  readonly #refresh = coalesce(() => this.#load());
  #entries: ReadonlyMap<string, CachedRecord> = new Map();
  #state: CatalogState | undefined;

  /** @param onSetAside called for each damaged record that was set aside */
  constructor(paths: StorePaths, onSetAside: () => void = () => undefined) {
    this.#paths = paths;
    this.#onSetAside = onSetAside;
  }

  /** The store's catalog now. Costs one `stat` of the folder as long as nothing changes. */
  async current(): Promise<Catalog> {
    return (await this.state()).catalog;
  }

  /** As {@link Records.current}, with the folder's modification, by which others can tell whether it has changed since. */
  async state(): Promise<CatalogState> {
    const state = this.#state;
    if (state?.settled && state.modified === this.#modified()) return state;
    return this.#refresh();
  }

  /** When a record was last written or removed, in milliseconds since the epoch. */
  async modifiedAt(): Promise<number> {
    return milliseconds(this.#modified());
  }

  /**
   * Writes records, replacing those of the same names, and makes them durable. After a crash in between, the first of
   * them are there and the others are not: each is whole in itself.
   */
  async write(records: readonly StoredRecord[]): Promise<void> {
    const written = await Promise.all(
      records.map(async (record) => {
        const temporary = temporaryPath(this.#paths);
        await writeNew(temporary, formatRecord(record), true);
        return { temporary, path: this.#path(record.name) };
      }),
    );
    for (const { temporary, path } of written) await rename(temporary, path);
    await syncDirectory(this.#paths.records);
  }

  /**
   * Removes records that are still as they were read, and makes that durable; returns those. The file is moved away
   * first and read then, because another process may have given the name to another image meanwhile.
   */
  async drop(records: readonly StoredRecord[]): Promise<readonly StoredRecord[]> {
    const dropped: StoredRecord[] = [];
    for (const record of records) if (await this.#dropOne(record)) dropped.push(record);
    await syncDirectory(this.#paths.records);
    return dropped;
  }

  async #dropOne(record: StoredRecord): Promise<boolean> {
    const path = this.#path(record.name);
    const aside = temporaryPath(this.#paths);
    if (!(await moveFile(path, aside))) return false;
    const there = readRecord(aside, recordFile(record.name));
    const same = typeof there === "string" || there?.image === record.image;
    // Unlike a rename, a link does not replace what has come under the name meanwhile.
    if (!same) await link(aside, path).catch(unlessExisting);
    await removeFile(aside);
    return same;
  }

  #path(name: string): string {
    return join(this.#paths.records, recordFile(name));
  }

  /** Looked at at once, as the folder is: a turn of the event loop and of a thread takes ten times as long as the look. */
  #modified(): bigint {
    return statSync(this.#paths.records, { bigint: true }).mtimeNs;
  }

  /** Until the folder has stood still while it was read, and at most a few times: a busy folder is read again anyway. */
  async #load(): Promise<CatalogState> {
    // Should it fail on the way, nothing that was made of the old entries may pass for what is in the new ones.
    const before = this.#state;
    this.#state = undefined;
    let changed = false;
    for (let attempt = 1; ; attempt += 1) {
      const start = Date.now();
      const modified = this.#modified();
      if (await this.#readFolder(start)) changed = true;
      const still = modified === this.#modified();
      if (!still && attempt < 3) continue;
      const catalog = (changed ? undefined : before?.catalog) ?? new Catalog(this.#recordsRead());
      const settled = still && isSettled(modified, start);
      this.#state = { catalog, modified, modifiedAt: milliseconds(modified), settled };
      return this.#state;
    }
  }

  /** Reads the records that are not as they were; whether there were any. */
  async #readFolder(now: number): Promise<boolean> {
    const old = this.#entries;
    const entries = new Map<string, CachedRecord>();
    for (const file of readdirSync(this.#paths.records)) {
      const entry = recordName.test(file) ? await this.#readEntry(file, old.get(file), now) : undefined;
      if (entry !== undefined) entries.set(file, entry);
    }
    this.#entries = entries;
    if (entries.size !== old.size) return true;
    for (const [file, { record }] of entries) if (old.get(file)?.record !== record) return true;
    return false;
  }

  /** A record that says what it said before is the same object as before. */
  async #readEntry(file: string, old: CachedRecord | undefined, now: number): Promise<CachedRecord | undefined> {
    const path = join(this.#paths.records, file);
    const status = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) return undefined;
    const { mtimeNs: modified, ino: inode, size } = status;
    if (old?.settled && old.modified === modified && old.inode === inode && old.size === size) return old;
    const record = await this.#readFile(file, old?.record);
    return record && { modified, inode, size, settled: isSettled(modified, now), record };
  }

  /** The record, unless the file is gone or damaged; then it is set aside, or it would be found anew each time. */
  async #readFile(file: string, before: StoredRecord | undefined): Promise<StoredRecord | undefined> {
    const path = join(this.#paths.records, file);
    const record = readRecord(path, file, before);
    if (typeof record !== "string") return record;
    const aside = join(this.#paths.damaged, `record-${file}.${randomName()}`);
    if (await moveFile(path, aside)) {
      this.#paths.warn(`a damaged record was set aside as ${aside}: ${record}`);
      this.#onSetAside();
    }
    return undefined;
  }

  *#recordsRead(): Generator<StoredRecord> {
    for (const { record } of this.#entries.values()) yield record;
  }
}

/**
 * The record in a file, the same object where it says what it said `before`; `undefined` if the file is gone, or what is
 * wrong with it. Read at once rather than in turns of
 * the event loop: thousands of small files take several times as long in turns.
 */
function readRecord(path: string, file: string, before?: StoredRecord): StoredRecord | string | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile() || status.size > recordLimit) return "not a file of a record's size";
      const bytes = readFileSync(descriptor);
      return before !== undefined && formatRecord(before).equals(bytes) ? before : parseRecord(bytes, file);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined;
    if (isPulleyError(error) || hasErrno(error, "ELOOP")) return errorText(error);
    throw error;
  }
}

/**
 * Whether a change after `now` must give a file or folder another time than it has. Times advance in steps, of up to ten
 * milliseconds on Linux and of a second on some file systems, and two changes in one step look like one (as in git's
 * index, `Documentation/technical/racy-git.txt`).
 */
function isSettled(modified: bigint, now: number): boolean {
  const step = modified % 1_000_000_000n === 0n ? 2100 : 30;
  return now - milliseconds(modified) > step;
}

function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}
