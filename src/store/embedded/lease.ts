import type { Descriptor, Digest, Manifest } from "../../image/index.ts";
import { verify } from "../../support/verifier.ts";
import { guarded } from "../files.ts";
import { ensureRoom, type StatFileSystem } from "../free-space.ts";
import type { ImageRecord, Ingest, Lease, StoredImage } from "../image-store.ts";
import { beginIngest } from "../ingest.ts";
import { LeaseFile } from "./lease-file.ts";
import { type EmbeddedPublication, publish } from "./publish.ts";

export interface EmbeddedLeaseDeps extends Omit<EmbeddedPublication, "lease"> {
  readonly statfs: StatFileSystem;
  /** Called after names have changed. */
  readonly onPublished: () => void;
  readonly onReleased: (lease: Lease) => void;
}

export async function openLease(deps: EmbeddedLeaseDeps): Promise<Lease> {
  return new EmbeddedLease(deps, await LeaseFile.create(deps.paths));
}

/** Every digest is written into the lease's file before its content is looked for: see `garbage.ts` for why. */
class EmbeddedLease implements Lease {
  readonly #deps: EmbeddedLeaseDeps;
  readonly #file: LeaseFile;
  readonly #ingests = new Set<Ingest>();
  #released: Promise<void> | undefined;

  constructor(deps: EmbeddedLeaseDeps, file: LeaseFile) {
    this.#deps = deps;
    this.#file = file;
  }

  has(descriptor: Descriptor): Promise<boolean> {
    return this.#guarded(async () => {
      await this.#file.add([descriptor.digest]);
      return this.#deps.blobs.has(descriptor);
    });
  }

  keep(digest: Digest): Promise<void> {
    return this.#guarded(() => this.#file.add([digest]));
  }

  put(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    return this.#guarded(async () => {
      verify(descriptor, bytes);
      await this.#file.add([descriptor.digest]);
      if (await this.#deps.blobs.has(descriptor)) return;
      await this.#deps.blobs.write(descriptor, bytes);
    });
  }

  ingest(descriptor: Descriptor, scope = ""): Promise<Ingest> {
    return this.#guarded(async () => {
      await this.#file.add([descriptor.digest]);
      const ingest = await beginIngest(
        this.#deps.paths,
        (path, { digest }) => this.#deps.blobs.place(path, digest),
        descriptor,
        scope,
      );
      this.#ingests.add(ingest);
      return ingest;
    });
  }

  ensureRoom(bytes: number): Promise<void> {
    return this.#guarded(() => ensureRoom(this.#deps.paths.root, bytes, this.#deps.statfs));
  }

  publish(records: readonly ImageRecord[], manifest?: Manifest): Promise<StoredImage> {
    return this.#guarded(async () => {
      try {
        return await publish({ ...this.#deps, lease: this.#file }, records, manifest);
      } finally {
        this.#deps.onPublished();
      }
    });
  }

  release(): Promise<void> {
    this.#released ??= guarded(this.#deps.paths.root, async () => {
      this.#deps.onReleased(this);
      for (const ingest of this.#ingests) await ingest.abandon("keep");
      await this.#file.remove();
    });
    return this.#released;
  }

  #guarded<Value>(action: () => Promise<Value>): Promise<Value> {
    return guarded(this.#deps.paths.root, action);
  }
}
