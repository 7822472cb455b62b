/** Image names in containerd as records: those that Pulley gave, and those of other programs. */
import { completePlatform, type Descriptor, formatPlatform, type Platform, parsePlatform } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import { Catalog } from "../catalog.ts";
import type { ImageRecord } from "../image-store.ts";
import { checkName, type StoredRecord, uniqueByDigest, withoutAnnotations } from "../stored-record.ts";
import { Events } from "./api/containerd/services/events/events_pb.js";
import { type Image, Images } from "./api/containerd/services/images/images_pb.js";
import type { Contents } from "./contents.ts";
import { type ContainerdContext, labels } from "./context.ts";
import { call, isStatus, unless } from "./daemon.ts";
import { descriptorFrom, type ImageGraph, imageGraphOf } from "./image-graph.ts";

interface ImageUnderName {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly target: { readonly mediaType: string; readonly digest: string; readonly size: bigint };
}

export class ContainerdNames {
  readonly #context: ContainerdContext;
  readonly #contents: Contents;
  /** Content never changes, so that it is read once for as long as a name leads to it. */
  #anatomies = new Map<string, ImageGraph>();

  /** The list that was read after the last change. */
  #latest: Promise<Catalog> | undefined;
  readonly #watch: NameWatch;

  constructor(context: ContainerdContext, contents: Contents) {
    this.#context = context;
    this.#contents = contents;
    this.#watch = new NameWatch(context, () => this.#forget());
  }

  close(): void {
    this.#watch.close();
  }

  #forget(): void {
    this.#latest = undefined;
  }

  /** The images in containerd, as of its last event. Costs nothing while nothing changes. */
  async current(): Promise<Catalog> {
    if (!this.#watch.isConnected()) return this.fresh();
    this.#latest ??= this.fresh();
    const latest = this.#latest;
    try {
      return await latest;
    } catch (error) {
      if (this.#latest === latest) this.#latest = undefined;
      throw error;
    }
  }

  /** The images in containerd now. */
  async fresh(): Promise<Catalog> {
    const { images } = await call(this.#context.daemon, "list its images", Images.method.list, {});
    const used = new Map<string, ImageGraph>();
    const records: StoredRecord[] = [];
    for (const image of images) {
      const record = await this.#recordOf(image, used);
      if (record !== undefined) records.push(record);
    }
    this.#anatomies = used;
    return new Catalog(records);
  }

  /** Gives a name to an image, be it there or not; what others have noted beside it stays. */
  async write(record: ImageRecord, lease: string): Promise<void> {
    const image = { name: record.name, labels: labelsOf(record), target: targetOf(record) };
    const doing = `name an image ${record.name}`;
    try {
      await this.#put(doing, image, lease);
    } finally {
      this.#forget();
    }
  }

  async #put(doing: string, image: ImageUnderName, lease: string): Promise<void> {
    const { daemon } = this.#context;
    for (let attempt = 1; ; attempt += 1) {
      const found = await unless(call(daemon, doing, Images.method.get, { name: image.name }), "NOT_FOUND");
      if (found?.image !== undefined && isSame(found.image, image)) return;
      const paths = ["target", ...Object.keys(image.labels).map((key) => `labels.${key}`)];
      try {
        if (found === undefined) await call(daemon, doing, Images.method.create, { image }, { lease });
        else await call(daemon, doing, Images.method.update, { image, updateMask: { paths } }, { lease });
        return;
      } catch (error) {
        // Others have given the name, or taken it away, meanwhile.
        if (!isStatus(error, "NOT_FOUND", "ALREADY_EXISTS") || attempt === 10) throw error;
      }
    }
  }

  async confirm(record: StoredRecord, at: number): Promise<void> {
    const key = labels.confirmed;
    // The target is not changed. But without one containerd 2 falls over, the whole daemon, in the conversion of the request.
    const image = {
      name: record.name,
      labels: { [key]: confirmation(record.target, at) },
      target: targetOf(record),
    };
    const request = { image, updateMask: { paths: [`labels.${key}`] } };
    await unless(call(this.#context.daemon, `confirm ${record.name}`, Images.method.update, request), "NOT_FOUND");
    this.#forget();
  }

  /** @param last whether containerd shall collect unneeded content before it answers */
  async remove({ name, target }: StoredRecord, last: boolean): Promise<void> {
    const request = { name, sync: last, target: targetOf({ target }) };
    const removal = call(this.#context.daemon, `remove ${name}`, Images.method.delete, request, { timeout: 600_000 });
    await unless(removal, "NOT_FOUND");
    this.#forget();
  }

  async #recordOf(image: Image, used: Map<string, ImageGraph>): Promise<StoredRecord | undefined> {
    const target = descriptorFrom(image.target);
    if (target === undefined) return undefined;
    const chosen = image.labels[labels.manifest];
    const key = `${target.mediaType} ${target.digest} ${chosen ?? ""}`;
    const graph =
      used.get(key) ??
      this.#anatomies.get(key) ??
      (await imageGraphOf(this.#contents, target, this.#context.platform, chosen));
    if (graph === undefined) return undefined;
    used.set(key, graph);
    return recordFrom(image, target, graph, this.#context.platform);
  }
}

/** `undefined` for names that are none of Kubernetes': containerd takes any text. */
function recordFrom(
  image: Image,
  target: Descriptor,
  { descriptor, manifest, config }: ImageGraph,
  ours: Platform,
): StoredRecord | undefined {
  const confirmedAt = readConfirmation(image.labels[labels.confirmed], target);
  const record = {
    name: image.name,
    target,
    image: manifest.config.digest,
    manifest: withoutAnnotations(descriptor),
    platform:
      readPlatform(image.labels[labels.platform]) ?? descriptor.platform ?? completePlatform(config.platform, ours),
    createdAt: config.createdAt,
    contents: uniqueByDigest([descriptor, manifest.config, ...manifest.layers]),
    ...(confirmedAt !== undefined && { confirmedAt }),
    ...(image.labels[labels.pinned] === "pinned" && { pinned: true }),
  };
  try {
    checkName(record);
    return record;
  } catch (error) {
    if (isPulleyError(error, "REFERENCE_INVALID")) return undefined;
    throw error;
  }
}

function targetOf({ target: { mediaType, digest, size } }: Pick<ImageRecord, "target">): ImageUnderName["target"] {
  return { mediaType, digest, size: BigInt(size) };
}

/** Whether the name has this target and these labels already. */
function isSame({ target, labels: there }: Image, { target: wanted, labels: added }: ImageUnderName): boolean {
  const same = target?.digest === wanted.digest && target.mediaType === wanted.mediaType;
  return same && Object.entries(added).every(([key, value]) => (there[key] ?? "") === value);
}

/** An empty value takes a label away. */
function labelsOf({ target, manifest, platform, confirmedAt }: ImageRecord): Record<string, string> {
  return {
    [labels.managed]: "managed",
    [labels.manifest]: manifest.digest,
    [labels.platform]: formatPlatform(platform),
    [labels.confirmed]: confirmedAt === undefined ? "" : confirmation(target, confirmedAt),
  };
}

function confirmation({ digest }: Descriptor, at: number): string {
  return `${digest} ${at}`;
}

/** Another program may have given the name to something else since. */
function readConfirmation(text: string | undefined, { digest }: Descriptor): number | undefined {
  const [confirmed, at = ""] = text?.split(" ") ?? [];
  return confirmed === digest && /^-?\d{1,16}$/.test(at) ? Number(at) : undefined;
}

function readPlatform(text: string | undefined): Platform | undefined {
  try {
    return text === undefined ? undefined : parsePlatform(text);
  } catch (error) {
    if (isPulleyError(error)) return undefined;
    throw error;
  }
}

// Subscribes to containerd's events about names, so that it need not be asked each time.

/**
 * Milliseconds after which a subscription is taken to have reached containerd, which does not acknowledge it: what
 * changes before that may be missed.
 */
const settling = 1000;

class NameWatch {
  readonly #context: ContainerdContext;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  /** When the subscription began, in milliseconds since the epoch; `undefined` while there is none. */
  #since: number | undefined;

  /** @param onChange called for each change, and when changes may have been missed */
  constructor(context: ContainerdContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  /** Whether the subscription is active. Where it is not, it will be soon. */
  isConnected(): boolean {
    const now = this.#context.clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      void this.#listen();
    }
    return now - this.#since > settling;
  }

  close(): void {
    this.#stop.abort();
  }

  /** Reads events until the stream ends; then the next call begins another one. */
  async #listen(): Promise<void> {
    const { daemon } = this.#context;
    const filters = [`namespace==${daemon.namespace},topic~="^/images/"`];
    const events = daemon.channel.serverStream(Events.method.subscribe, { filters }, { signal: this.#stop.signal });
    try {
      for await (const _ of events) this.#onChange();
    } catch {
      // Only the end of the subscription matters; the next call to containerd shows what is wrong.
    }
    if (this.#stop.signal.aborted) return;
    this.#since = undefined;
    this.#onChange();
  }
}
