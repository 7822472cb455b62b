/**
 * Images on this machine. Two ways stand behind this interface: the embedded store (`embedded/`), an OCI image
 * layout on disk, and containerd's (`containerd/`). One contract suite (`contract.ts`) runs against each.
 */
import type { Descriptor, Digest, Manifest, Platform, Reference } from "../image/index.ts";
import type { ByteRange } from "./byte-range.ts";

/** An image, with fields named as crictl names them. */
export interface StoredImage {
  /** The digest of the image's config. */
  readonly id: Digest;
  /** Normalised names with their tags, `docker.io/library/nginx:1.27`, sorted. */
  readonly repoTags: readonly string[];
  /** Normalised names with the digest that was asked for or resolved, `docker.io/library/nginx@sha256:…`, sorted. */
  readonly repoDigests: readonly string[];
  /** Bytes on disk: manifest, config and layers, as they are stored. */
  readonly size: number;
  readonly platform: Platform;
  /** The manifest that was chosen for the platform. */
  readonly manifest: Descriptor;
  /** When the image's config says that it was made, in milliseconds since the epoch. */
  readonly createdAt: number | undefined;
  /** Whether the container runtime keeps the image whatever happens; only where it does. */
  readonly pinned?: boolean;
}

/** A name in the store, and what it resolves to. */
export interface ImageRecord {
  /** Normalised, with a tag or a digest: `docker.io/library/nginx:1.27`, `docker.io/library/nginx@sha256:…`. */
  readonly name: string;
  /** What the name resolved to: an index or a manifest. */
  readonly target: Descriptor;
  /** The image's id. */
  readonly image: Digest;
  /** The manifest for {@link ImageRecord.platform}: the target itself unless that is an index. */
  readonly manifest: Descriptor;
  readonly platform: Platform;
  /** When a registry last said that the name has this target, in milliseconds since the epoch; absent for loaded images. */
  readonly confirmedAt?: number | undefined;
}

export interface ImageStore {
  /** Every image, those without a name included, in the order of their ids. */
  images(): Promise<readonly StoredImage[]>;
  /**
   * The image that a reference names, or a text that somebody typed: a reference in any form that {@link parseReference} reads, an id with or without
   * its algorithm, or the beginning of an id that only one image has.
   * @throws PulleyError `REFERENCE_INVALID` if it is none of these, or an id's beginning that several images share
   */
  image(wanted: Reference | string): Promise<StoredImage | undefined>;
  /** The record of a normalised name. */
  record(name: string): Promise<ImageRecord | undefined>;
  /** Notes that a registry has just said again that the name has the target that it has here. */
  confirm(name: string, at: number): Promise<void>;
  /** Gives an image another name. @throws PulleyError `IMAGE_NOT_FOUND`, `REFERENCE_INVALID` */
  tag(image: string, name: string): Promise<void>;
  /**
   * Removes one name, and the image with its last name; an id removes all names of the image.
   * @throws PulleyError `IMAGE_NOT_FOUND`
   */
  remove(text: string): Promise<Removal>;
  /** Small content (manifest, config), verified against its digest and at most `limit` bytes. @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `TOO_LARGE` */
  read(digest: Digest, limit: number): Promise<Buffer>;
  /** Content as a verified stream that fails with `BLOB_DAMAGED` before its end if the bytes are not the digest's. */
  open(descriptor: Descriptor): Promise<AsyncIterable<Buffer>>;
  /** A part of it, which is as good as the whole: its last bytes come when that has been verified, now or as it lies there. */
  openPart(descriptor: Descriptor, part: ByteRange): Promise<AsyncIterable<Buffer>>;
  /** Opens a lease: until it is released, nothing that it has checked or written is collected. */
  lease(): Promise<Lease>;
  /** Reads every blob again; what is damaged is set aside so that the next pull fetches it anew. Reports as it goes. */
  verify(options?: VerifyOptions): AsyncIterable<Verified>;
  /** Disk usage of the images, and of their file system. Reads the disk, not the records. */
  usage(): Promise<Usage>;
  close(): Promise<void>;
}

export interface Usage {
  /** The folder that holds the content. */
  readonly path: string;
  /** Bytes that the store takes up on the disk, blocks that are shared counted once. */
  readonly used: number;
  readonly inodesUsed: number;
  /** Bytes of the file system, and those that are still free for us. */
  readonly capacity: number;
  readonly available: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** Protects content from collection until a record names it. */
export interface Lease {
  /** Whether the content is here in its full size; if so it stays until the lease is released. */
  has(descriptor: Descriptor): Promise<boolean>;
  /** Keeps content under the digest until the lease is released, be it here now or come later. */
  keep(digest: Digest): Promise<void>;
  /** Stores small content after verifying it. @throws PulleyError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK_FULL` */
  put(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /**
   * A private file to receive content into; what an earlier, interrupted attempt received is already in it.
   * @param scope the repository that is to give the content: what another one gave is neither used nor touched. Default:
   * none, for archives and where content is shared
   */
  ingest(descriptor: Descriptor, scope?: string): Promise<Ingest>;
  /** @throws PulleyError `DISK_FULL` with both numbers if the file system has no room for `bytes` more and a reserve */
  ensureRoom(bytes: number): Promise<void>;
  /**
   * Makes an image visible under its names, all at once and durably. Everything it consists of must be here. An image
   * without a name is published under its id alone.
   * @param manifest what the records' manifest says, for those who have just read it; absent: it is read from here
   * @throws PulleyError `CONTENT_MISSING` if something is not here (any more): fetch that and publish again
   */
  publish(records: readonly ImageRecord[], manifest?: Manifest): Promise<StoredImage>;
  /** Ends the protection. Safe to call more than once. */
  release(): Promise<void>;
}

export interface Ingest {
  /** Path of the private file. The download is written to it, from {@link Ingest.received} on. */
  readonly path: string;
  /** Bytes that are there already; not yet verified. */
  readonly received: number;
  /** Makes the content visible under its digest. Only for content that was verified as it was written. */
  commit(): Promise<void>;
  /** Gives up: `keep` leaves the bytes for a later attempt to resume from, `discard` deletes them. */
  abandon(bytes: "keep" | "discard"): Promise<void>;
}

export interface Removal {
  /** Names that are gone, normalised. */
  readonly untagged: readonly string[];
  /** Ids of images that are gone. */
  readonly deleted: readonly Digest[];
  /** Bytes freed on disk. */
  readonly freed: number;
}

export interface VerifyOptions {
  /** Reads these alone. Default: everything. */
  readonly only?: ReadonlySet<Digest>;
  /** Reads what comes behind this one in the order of digests, in which everything is read. */
  readonly after?: Digest | undefined;
  /** Called with the size of each piece that was read; the next one is read when it resolves. */
  readonly pace?: ((bytes: number) => Promise<void>) | undefined;
}

export interface Verified {
  readonly digest: Digest;
  /** `unreadable`: the disk does not give the bytes; nothing is known of them, and they stay where they are. */
  readonly state: "sound" | "damaged" | "missing" | "unreadable";
  /** Normalised names of the images that need the content. */
  readonly neededBy: readonly string[];
  /** Ids of images that need it and have no name; absent where there are none. */
  readonly nameless?: readonly Digest[];
}
