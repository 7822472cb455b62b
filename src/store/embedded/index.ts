/** The embedded store: an OCI image layout on this machine's disk, for any number of processes. See `paths.ts`. */

import { resolve } from "node:path";
import type { Reference } from "../../image/index.ts";
import { canonicalText, type Descriptor, type Digest, parseReference, withImpliedTag } from "../../image/index.ts";
import { hasErrno, isPulleyError, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { refuseWindows } from "../../support/windows.ts";
import type { ByteRange } from "../byte-range.ts";
import { measure } from "../disk-usage.ts";
import { guarded } from "../files.ts";
import { type FileSystem, type StatFileSystem, systemStatfs } from "../free-space.ts";
import type {
  ImageRecord,
  ImageStore,
  Lease,
  Removal,
  StoredImage,
  Usage,
  Verified,
  VerifyOptions,
} from "../image-store.ts";
import { sweepIngest } from "../ingest.ts";
import { type StoredRecord, toImageRecord } from "../stored-record.ts";
import { inFixedOrder, recordsByContent, verified } from "../verify.ts";
import { Blobs } from "./blobs.ts";
import { withConfirmation, writeConfirmation } from "./confirmations.ts";
import { neededDigests, remove, sweepTrash } from "./garbage.ts";
import { IndexFile } from "./index-file.ts";
import { openLease } from "./lease.ts";
import { LeaseFile, leasedDigests } from "./lease-file.ts";
import { openStorePaths, type StorePaths } from "./paths.ts";
import { ensureTranslation } from "./publish.ts";
import { contentsToKeep } from "./record.ts";
import { Records } from "./records.ts";

export interface EmbeddedStoreOptions {
  /** Called with a sentence for each damage that was found and set aside. Default: none. */
  readonly warn?: (message: string) => void;
  /** What the file system has free. Default: the system's answer. */
  readonly statfs?: StatFileSystem;
}

/**
 * Opens the store in a folder; makes one there if the folder is absent or empty. What killed processes left behind is
 * tidied up.
 * @throws PulleyError `STORE_INVALID` if the folder holds something else or a newer version's store, `STORE_FAILED`, `USAGE` on Windows
 */
export function openEmbeddedStore(root: string, options: EmbeddedStoreOptions = {}): Promise<ImageStore> {
  const path = resolve(root);
  return guarded(path, async () => {
    refuseWindows("the store of images");
    const paths = await openStorePaths(path, options.warn ?? (() => undefined));
    const store = new EmbeddedStore(paths, options.statfs ?? systemStatfs);
    await store.tidy();
    return store;
  });
}

class EmbeddedStore implements ImageStore {
  readonly #paths: StorePaths;
  readonly #statfs: StatFileSystem;
  readonly #blobs: Blobs;
  readonly #records: Records;
  readonly #indexFile: IndexFile;
  readonly #leases = new Set<Lease>();

  constructor(paths: StorePaths, statfs: StatFileSystem) {
    this.#paths = paths;
    this.#statfs = statfs;
    this.#blobs = new Blobs(paths, async (digest) => (await this.#records.current()).sizeOf(digest));
    this.#records = new Records(paths, () => this.#indexFile.refresh());
    this.#indexFile = new IndexFile(paths, this.#blobs, this.#records);
  }

  async tidy(): Promise<void> {
    await leasedDigests(this.#paths);
    await sweepIngest(this.#paths);
    await sweepTrash(this.#paths, () => neededDigests(this.#paths, this.#records));
    await this.#indexFile.refreshIfStale();
  }

  images(): Promise<readonly StoredImage[]> {
    return this.#guarded(async () => (await this.#records.current()).images);
  }

  image(wanted: Reference | string): Promise<StoredImage | undefined> {
    return this.#guarded(async () => (await this.#records.current()).find(wanted)?.image);
  }

  record(name: string): Promise<ImageRecord | undefined> {
    return this.#guarded(async () => {
      const record = (await this.#records.current()).records.get(name);
      return record && toImageRecord(await withConfirmation(this.#paths, record));
    });
  }

  confirm(name: string, at: number): Promise<void> {
    return this.#guarded(async () => {
      const record = (await this.#records.current()).records.get(name);
      if (record !== undefined) await writeConfirmation(this.#paths, record, at);
    });
  }

  async tag(image: string, name: string): Promise<void> {
    const wanted = withImpliedTag(parseReference(name));
    if (wanted.digest !== undefined) {
      throw new PulleyError("REFERENCE_INVALID", `${quote(name)} has a digest: an image can only be given a tag`);
    }
    const lease = await this.lease();
    try {
      const { named } = await this.#guarded(async () => (await this.#records.current()).require(image));
      // No registry has said that this name has this target.
      const records = named.map((record) => ({
        ...toImageRecord(record),
        name: canonicalText(wanted),
        confirmedAt: undefined,
      }));
      await lease.publish(records.slice(0, 1));
    } finally {
      await lease.release();
    }
  }

  remove(text: string): Promise<Removal> {
    return this.#guarded(async () => {
      try {
        return await remove(this.#paths, this.#blobs, this.#records, text);
      } finally {
        this.#indexFile.refresh();
      }
    });
  }

  read(digest: Digest, limit: number): Promise<Buffer> {
    return this.#guarded(() => this.#blobs.read(digest, limit));
  }

  openPart(descriptor: Descriptor, part: ByteRange): Promise<AsyncIterable<Buffer>> {
    return this.#guarded(() => this.#blobs.openPart(descriptor, part));
  }

  open(descriptor: Descriptor): Promise<AsyncIterable<Buffer>> {
    return this.#guarded(() => this.#blobs.open(descriptor));
  }

  lease(): Promise<Lease> {
    return this.#guarded(async () => {
      const lease = await openLease({
        paths: this.#paths,
        blobs: this.#blobs,
        records: this.#records,
        statfs: this.#statfs,
        onPublished: () => this.#indexFile.refresh(),
        onReleased: (released) => this.#leases.delete(released),
      });
      this.#leases.add(lease);
      return lease;
    });
  }

  verify(options?: VerifyOptions): AsyncIterable<Verified> {
    const repair = (record: StoredRecord) => this.#repair(record);
    return checkContents({ blobs: this.#blobs, records: this.#records, repair }, options);
  }

  usage(): Promise<Usage> {
    return this.#guarded(async () => usageOf(this.#paths, await this.#statfs(this.#paths.root)));
  }

  /** Makes a damaged translation again from the rest of the store. */
  async #repair(record: StoredRecord): Promise<void> {
    const lease = await LeaseFile.create(this.#paths);
    try {
      await lease.add(contentsToKeep(record).map(({ digest }) => digest));
      await ensureTranslation(this.#blobs, record);
    } catch (error) {
      if (!isPulleyError(error, "IMAGE_NOT_FOUND", "BLOB_DAMAGED", "SIZE_MISMATCH")) throw error;
    } finally {
      await lease.remove();
      this.#indexFile.refresh();
    }
  }

  /** Releases every lease that is still held, and has `index.json` written. */
  async close(): Promise<void> {
    for (const lease of this.#leases) await lease.release();
    await this.#indexFile.finished();
  }

  #guarded<Value>(action: () => Promise<Value>): Promise<Value> {
    return guarded(this.#paths.root, action);
  }
}

interface CheckDeps {
  readonly blobs: Pick<Blobs, "list" | "check">;
  readonly records: Pick<Records, "current">;
  /** Makes again what can be made from a record's other content. */
  readonly repair: (record: StoredRecord) => Promise<void>;
}

/** Reads all content again: does it still match its digest? */
async function* checkContents(
  { blobs, records, repair }: CheckDeps,
  options: VerifyOptions = {},
): AsyncGenerator<Verified, void> {
  const needed = recordsByContent(await records.current(), contentsToKeep);
  for (const digest of inFixedOrder([...(await blobs.list()), ...needed.keys()], options)) {
    const keepers = needed.get(digest) ?? [];
    const state = await stateOf(blobs, digest, options.pace);
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !recordsByContent(await records.current(), contentsToKeep).has(digest)) continue;
    const translated = keepers.find(({ ociManifest }) => ociManifest?.digest === digest);
    if (state !== "sound" && translated !== undefined) await repair(translated);
    yield verified(digest, state, keepers);
  }
}

/** What a disk cannot read has not been found to be wrong: it stays where it is. */
async function stateOf(
  blobs: Pick<Blobs, "check">,
  digest: Digest,
  pace: VerifyOptions["pace"],
): Promise<Verified["state"]> {
  try {
    return (await blobs.check(digest, pace)) ?? "missing";
  } catch (error) {
    if (hasErrno(error, "EIO", "EUCLEAN", "EBADMSG", "ENODATA")) return "unreadable";
    throw error;
  }
}

async function usageOf(
  { root, blobs }: StorePaths,
  { bsize, blocks, bavail, files, ffree }: FileSystem,
): Promise<Usage> {
  const { used, inodes } = await measure(root);
  return {
    path: blobs,
    used,
    inodesUsed: inodes,
    capacity: blocks * bsize,
    available: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}
