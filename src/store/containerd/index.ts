/**
 * The store in containerd: Pulley downloads, and hands content, unpacked layers and names over, so that containers start from
 * them; what others have brought in is there like everything else. See docs/containerd.md.
 */

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Reference } from "../../image/index.ts";
import {
  canonicalText,
  type Descriptor,
  type Digest,
  type Platform,
  parseReference,
  withImpliedTag,
} from "../../image/index.ts";
import { type Clock, systemClock } from "../../support/clock.ts";
import { PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { thisOwner } from "../../support/owner.ts";
import { type ByteRange, partOf } from "../byte-range.ts";
import { guarded, requireFolder } from "../files.ts";
import { type StatFileSystem, systemStatfs } from "../free-space.ts";
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
import { needs, toImageRecord } from "../stored-record.ts";
import { inFixedOrder, recordsByContent, verified } from "../verify.ts";
import { Introspection, type Plugin } from "./api/containerd/services/introspection/introspection_pb.js";
import { Contents } from "./contents.ts";
import type { ContainerdContext } from "./context.ts";
import { type ContainerdConnection, call, connect } from "./daemon.ts";
import { openLease } from "./lease.ts";
import { ContainerdNames } from "./names.ts";
import { endLeft, Protections } from "./protection.ts";
import { remove } from "./remove.ts";
import { Unpacker } from "./unpack.ts";
import { usageOf } from "./usage.ts";

export interface ContainerdStoreOptions {
  /** Path of containerd's unix socket. */
  readonly socket: string;
  /** A folder of Pulley's own, for content that is being received; made where there is none. */
  readonly root: string;
  /** The machine's platform, by which the manifest of an index is chosen that another program has pulled. */
  readonly platform: Platform;
  /** Default: `k8s.io`, where containerd's CRI has its images. */
  readonly namespace?: string;
  /** Default: `overlayfs`. It must be the one that containerd's CRI is set up with, or containers will not start. */
  readonly snapshotter?: string;
  /** Called with a sentence for each damage that was found and removed. Default: none. */
  readonly warn?: (message: string) => void;
  readonly clock?: Clock;
  /** What a file system has free. Default: the system's answer. */
  readonly statfs?: StatFileSystem;
}

/**
 * Connects to containerd. What killed processes of Pulley's left there is removed.
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED` if there is no such snapshotter, `STORE_FAILED`
 */
export async function openContainerdStore(options: ContainerdStoreOptions): Promise<ImageStore> {
  const root = resolve(options.root);
  const snapshotter = options.snapshotter ?? "overlayfs";
  const daemon = connect(options.socket, options.namespace ?? "k8s.io");
  try {
    const plugins = await findPlugins(daemon, snapshotter);
    const ingest = join(root, "ingest");
    const context: ContainerdContext = {
      daemon,
      snapshotter,
      ...plugins,
      root,
      ingest,
      platform: options.platform,
      self: thisOwner(),
      clock: options.clock ?? systemClock,
      statfs: options.statfs ?? systemStatfs,
      warn: options.warn ?? (() => undefined),
    };
    await guarded(root, async () => {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await requireFolder(ingest);
      await sweepIngest(context);
    });
    await endLeft(context);
    return new ContainerdStore(context);
  } catch (error) {
    daemon.channel.close();
    throw error;
  }
}

class ContainerdStore implements ImageStore {
  readonly #context: ContainerdContext;
  readonly #contents: Contents;
  readonly #names: ContainerdNames;
  readonly #unpacker: Unpacker;
  readonly #protections: Protections;
  readonly #leases = new Set<Lease>();

  constructor(context: ContainerdContext) {
    this.#context = context;
    this.#contents = new Contents(context);
    this.#names = new ContainerdNames(context, this.#contents);
    this.#unpacker = new Unpacker(context, this.#contents);
    this.#protections = new Protections(context);
  }

  async images(): Promise<readonly StoredImage[]> {
    return (await this.#names.current()).images;
  }

  async image(wanted: Reference | string): Promise<StoredImage | undefined> {
    return (await this.#names.current()).find(wanted)?.image;
  }

  async record(name: string): Promise<ImageRecord | undefined> {
    const record = (await this.#names.current()).records.get(name);
    return record && toImageRecord(record);
  }

  async confirm(name: string, at: number): Promise<void> {
    const record = (await this.#names.current()).records.get(name);
    if (record !== undefined) await this.#names.confirm(record, at);
  }

  async tag(image: string, name: string): Promise<void> {
    const wanted = withImpliedTag(parseReference(name));
    if (wanted.digest !== undefined) {
      throw new PulleyError("REFERENCE_INVALID", `${quote(name)} has a digest: an image can only be given a tag`);
    }
    const lease = await this.#protections.begin();
    try {
      const [record] = (await this.#names.fresh()).require(image).named;
      if (record === undefined) throw new PulleyError("INTERNAL", `the image ${quote(image)} has no record`);
      // No registry has said that this name has this target.
      const { confirmedAt: _, ...known } = toImageRecord(record);
      await lease.keepContent(record.target.digest);
      if (!(await this.#contents.has(record.target))) {
        throw new PulleyError("IMAGE_NOT_FOUND", `${quote(image)} was removed meanwhile`);
      }
      await this.#names.write({ ...known, name: canonicalText(wanted) }, lease.id);
    } finally {
      await this.#protections.end(lease);
    }
  }

  remove(text: string): Promise<Removal> {
    return remove(this.#context, this.#contents, this.#names, text);
  }

  read(digest: Digest, limit: number): Promise<Buffer> {
    return this.#contents.read(digest, limit);
  }

  async openPart(descriptor: Descriptor, part: ByteRange): Promise<AsyncIterable<Buffer>> {
    return partOf(await this.open(descriptor), part);
  }

  open(descriptor: Descriptor): Promise<AsyncIterable<Buffer>> {
    return this.#contents.open(descriptor);
  }

  async lease(): Promise<Lease> {
    const lease = await openLease({
      context: this.#context,
      contents: this.#contents,
      names: this.#names,
      unpacker: this.#unpacker,
      protections: this.#protections,
      onPublished: () => undefined,
      onReleased: (released) => this.#leases.delete(released),
    });
    this.#leases.add(lease);
    return lease;
  }

  verify(options?: VerifyOptions): AsyncIterable<Verified> {
    return checkContents(this.#contents, this.#names, options);
  }

  usage(): Promise<Usage> {
    return guarded(this.#context.root, () => usageOf(this.#context));
  }

  /** Releases every lease that is still held. */
  async close(): Promise<void> {
    try {
      for (const lease of this.#leases) await lease.release();
      await this.#protections.endReleased();
    } finally {
      this.#names.close();
      this.#context.daemon.channel.close();
    }
  }
}

/** Reads all content again: does it still match its digest? */
async function* checkContents(
  contents: Contents,
  names: ContainerdNames,
  options: VerifyOptions = {},
): AsyncGenerator<Verified, void> {
  const needed = recordsByContent(await names.fresh(), needs);
  for (const digest of inFixedOrder(needed.keys(), options)) {
    const state = (await contents.check(digest, options.pace)) ?? "missing";
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !recordsByContent(await names.fresh(), needs).has(digest)) continue;
    yield verified(digest, state, needed.get(digest) ?? []);
  }
}

interface Plugins {
  /** containerd's folders; `undefined` where it does not name them. */
  readonly contentRoot: string | undefined;
  readonly snapshotRoot: string | undefined;
}

/** @throws PulleyError `RUNTIME_FAILED` if containerd has no such snapshotter, or one that does not work */
async function findPlugins(daemon: ContainerdConnection, snapshotter: string): Promise<Plugins> {
  const { plugins } = await call(daemon, "say what it consists of", Introspection.method.plugins, {});
  const ofType = (type: string) => plugins.filter((plugin) => plugin.type === type);
  const snapshotters = ofType("io.containerd.snapshotter.v1");
  const own = snapshotters.find(({ id }) => id === snapshotter);
  if (own === undefined || own.initErr !== undefined) throw noSnapshotter(daemon, snapshotter, own, snapshotters);
  const content = ofType("io.containerd.content.v1").find(({ id }) => id === "content");
  return { contentRoot: content?.exports["root"], snapshotRoot: own.exports["root"] };
}

function noSnapshotter(
  { socket }: ContainerdConnection,
  wanted: string,
  own: Plugin | undefined,
  all: readonly Plugin[],
): PulleyError {
  const working = all.filter(({ initErr }) => initErr === undefined).map(({ id }) => id);
  const why = own?.initErr === undefined ? "has no such snapshotter" : `cannot use it: ${own.initErr.message}`;
  return new PulleyError("RUNTIME_FAILED", `${socket}: the snapshotter ${wanted} is wanted, but containerd ${why}`, {
    advice: `Choose one that containerd has: ${working.join(", ")}.`,
  });
}
