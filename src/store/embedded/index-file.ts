/**
 * `index.json`: the records as other programs read them. It follows from the records and is written anew after each
 * change; nothing in the store is read from it.
 *
 * A name stands there for the manifest that is in the store, not for the index that it was chosen from: whatever can be
 * reached from `index.json` is here, as a reader of an image layout may expect. Where the manifest is Docker's, the name
 * stands for its translation (`translation.ts`), with the manifest's own digest in an annotation.
 *
 * Its modification time is not its own but that of the folder of records that it was made from, so that two looks tell
 * whether it is up to date; or the year 1970 if another change to the folder might not have shown in that.
 */
import { rename } from "node:fs/promises";
import { type Descriptor, ociIndex, ociManifest, type Platform } from "../../image/index.ts";
import { coalesce } from "../../support/concurrency.ts";
import { errorText } from "../../support/errors.ts";
import type { Catalog } from "../catalog.ts";
import { fileStatus, readSmall, syncDirectory, writeNew } from "../files.ts";
import { isNameless, type StoredRecord } from "../stored-record.ts";
import type { Blobs } from "./blobs.ts";
import { type StorePaths, temporaryPath } from "./paths.ts";
import type { CatalogState, Records } from "./records.ts";

/** Bytes; more than a hundred thousand names take. */
const indexLimit = 64 * 1024 * 1024;

export class IndexFile {
  readonly #paths: StorePaths;
  readonly #blobs: Blobs;
  readonly #records: Records;
  readonly #run = coalesce(() => this.#refresh());
  #pending: Promise<void> = Promise.resolve();

  constructor(paths: StorePaths, blobs: Blobs, records: Records) {
    this.#paths = paths;
    this.#blobs = blobs;
    this.#records = records;
  }

  /** Writes the index in the background; changes close together are written once. */
  refresh(): void {
    this.#pending = this.#run();
  }

  /** Resolves when the index is written. A failure is only reported: the records are what counts. */
  async finished(): Promise<void> {
    await this.#pending;
  }

  /** Writes the index if it was not made from the current records. */
  async refreshIfStale(): Promise<void> {
    const look = await fileStatus(this.#paths.index);
    if (look === undefined || !isSameTime(look.modifiedAt, await this.#records.modifiedAt())) this.refresh();
  }

  async #refresh(): Promise<void> {
    try {
      let state: CatalogState | undefined;
      let after = await this.#records.state();
      // Another process may have changed the records meanwhile, and its index may be the one that we replaced.
      while (state?.catalog !== after.catalog) {
        state = after;
        await this.#write(state);
        after = await this.#records.state();
      }
    } catch (error) {
      this.#paths.warn(`${this.#paths.index} could not be written: ${errorText(error)}`);
    }
  }

  async #write({ catalog, modifiedAt, settled }: CatalogState): Promise<void> {
    const bytes = await this.#format(catalog);
    const there = await readSmall(this.#paths.index, indexLimit);
    if (!settled && there?.equals(bytes)) return;
    const temporary = temporaryPath(this.#paths);
    // As a record: other programs read it, and after a power cut it may be long until the store is opened again.
    await writeNew(temporary, bytes, true, new Date(settled ? modifiedAt : 0));
    await rename(temporary, this.#paths.index);
    await syncDirectory(this.#paths.root);
  }

  async #format({ records }: Catalog): Promise<Buffer> {
    const named = [...records.values()].filter((record) => !isNameless(record));
    const manifests = await Promise.all(named.map((record) => this.#formatEntry(record)));
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
  }

  async #formatEntry(record: StoredRecord): Promise<object> {
    const { ociManifest: translation } = record;
    if (translation === undefined || !(await this.#blobs.isThere(translation.digest)))
      return formatEntry(record, record.manifest);
    const annotations = { "dev.pulley.manifest.digest": record.manifest.digest };
    return formatEntry(record, { mediaType: ociManifest, ...translation }, annotations);
  }
}

/** Times go through floating-point numbers of seconds on their way to the disk. */
function isSameTime(one: number, other: number): boolean {
  return Math.abs(one - other) < 2;
}

function formatEntry({ name, platform }: StoredRecord, manifest: Descriptor, annotations: object = {}): object {
  return {
    ...manifest,
    platform: formatOciPlatform(platform),
    annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name, ...annotations },
  };
}

/** image-spec `image-index.md`: an empty variant is left out. */
function formatOciPlatform({ os, architecture, variant }: Platform): object {
  return { architecture, os, ...(variant !== "" && { variant }) };
}
