import {
  canonicalText,
  type Descriptor,
  givenWithTag,
  type Platform,
  parseImageName,
  type Reference,
  type Tag,
} from "../image/index.ts";
import type { ImageFacts } from "../policy/index.ts";
import type { Location, RegistryClient } from "../registry/index.ts";
import type { ImageRecord, ImageStore, StoredImage } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { createSingleFlight, type Task } from "../support/concurrency.ts";
import { atPlace, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { type ContentProofs, createContentProofs } from "./content-proofs.ts";
import { isGone, localSource, remoteSource } from "./content-sources.ts";
import { isOfSource } from "./failure.ts";
import { type ImageContent, readContent } from "./image-content.ts";
import type { ImageService, PullCall } from "./image-service.ts";
import { createLayerFetcher, joinOrTry, type LayerFetcher, type Source } from "./layers.ts";
import { done, downloading, fetchedBytes, resolving } from "./progress.ts";
import type { LayerProgress, PullProgress } from "./types.ts";

export interface StoreImageServiceOptions {
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  readonly platform: Platform;
  readonly clock: Clock;
  /** Given where others bring in single layers, too, so that nothing is on its way twice. */
  readonly layers?: LayerFetcher;
  /** What is here may be used for which repository. Default: for one that has shown that it has it (`isolated`). */
  readonly proofs?: ContentProofs;
}

/** What a registry, or its mirror, has just said that a reference stands for. */
interface Wanted {
  readonly reference: Reference;
  readonly target: Descriptor;
  /** When it said so, in milliseconds since the epoch. */
  readonly at: number;
}

/** What a fetch has brought in, and under which names; others who waited for it may want other names. */
interface Published {
  readonly content: ImageContent;
  readonly names: readonly string[];
}

/** An image that is named here is all its own. */
const ofTheStore = { has: () => true };

/** How often a pull begins anew because content was removed while it was going on. */
const mostAttempts = 3;

/**
 * Images in a store of Pulley's own. Every pull asks the registry with its own login what the name stands for, by one
 * HEAD; what is here already and was shown by that repository is not fetched again, and what several pulls of it want at
 * once is fetched once.
 */
export function createStoreImageService(options: StoreImageServiceOptions): ImageService {
  const { store, registry, platform, clock } = options;
  const layers = options.layers ?? createLayerFetcher(store, registry);
  const proofs = options.proofs ?? createContentProofs(store);
  const heads = createSingleFlight<Descriptor>();
  const fetches = createSingleFlight<Published, PullProgress>();

  async function resolve(reference: Reference, { login, mirror, noRetry }: Source, signal: AbortSignal | undefined) {
    const key = JSON.stringify([canonicalText(reference), mirror ?? "", login?.fingerprint()]);
    const ask = (task: Task<never>) =>
      registry.resolve(locationOf(reference), { login, mirror, noRetry, signal: task.signal });
    const target = await heads.join(key, ask, { signal });
    if (reference.digest === undefined || reference.digest === target.digest) return target;
    throw new PulleyError(
      "DIGEST_MISMATCH",
      `${canonicalText(reference)}: the registry answered with ${target.digest} instead`,
    );
  }

  async function readFacts(
    target: Descriptor,
    { platform: own, manifest }: StoredImage,
  ): Promise<ImageFacts | undefined> {
    const lease = await store.lease();
    // An image alone may be for another platform than it was taken for; one of an index was chosen for its own.
    const asked = target.digest === manifest.digest ? platform : own;
    try {
      const { facts } = await readContent(target, asked, localSource(store, lease, ofTheStore), manifest.digest);
      return facts;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    } finally {
      await lease.release();
    }
  }

  function recordOf(image: Reference | string): Promise<ImageRecord | undefined> {
    return store.record(nameOf(typeof image === "string" ? parseImageName(image) : image));
  }

  async function areKnown(records: readonly ImageRecord[]): Promise<boolean> {
    const known = await Promise.all(records.map(async (record) => isSame(await store.record(record.name), record)));
    return known.every(Boolean);
  }

  /** Gives an image that is complete the names that it has now; `undefined` if something is missing. */
  async function adopt(
    wanted: Wanted,
    signal: AbortSignal | undefined,
    learn: (facts: ImageFacts) => void,
  ): Promise<ImageContent | undefined> {
    const shown = await proofs.of(wanted.reference.repository);
    const lease = await store.lease();
    try {
      const content = await readContent(wanted.target, platform, localSource(store, lease, shown));
      if (!content.layers.every(({ digest }) => shown.has(digest))) return undefined;
      for (const layer of content.layers) if (!(await lease.has(layer))) return undefined;
      learn(content.facts);
      signal?.throwIfAborted();
      const records = recordsOf(wanted, content);
      if (await areKnown(records)) await Promise.all(records.map(({ name }) => store.confirm(name, wanted.at)));
      // A collection that had begun before may have taken the names away meanwhile; the content it could not.
      if (!(await areKnown(records))) await lease.publish(records, content.parsed);
      return content;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    } finally {
      await lease.release();
    }
  }

  /** @param tag under which `from` may be asked for the manifest, if it does not give it by its digest */
  async function fetch(
    wanted: Wanted,
    from: Source,
    tag: Tag | undefined,
    task: Task<PullProgress>,
  ): Promise<Published> {
    const shown = await proofs.of(wanted.reference.repository);
    const lease = await store.lease();
    try {
      const source = remoteSource(registry, store, lease, from, shown, task.signal, {
        tag,
        digest: wanted.target.digest,
      });
      const content = await readContent(wanted.target, platform, source);
      const { facts } = content;
      const image = givenWithTag(wanted.reference);
      task.report({ ...resolving(image), facts });
      // Those who do not want it now that they know it have left.
      task.signal.throwIfAborted();
      const report = (progress: readonly LayerProgress[]) => task.report({ ...downloading(image, progress), facts });
      // Asked again: what the image consists of may not have been known before its manifest was here (again).
      const layersFrom = { ...from, proofs: await proofs.of(wanted.reference.repository) };
      await layers.fetch(content.layers, layersFrom, lease, { signal: task.signal, report });
      const records = recordsOf(wanted, content);
      await lease.publish(records, content.parsed);
      return { content, names: records.map(({ name }) => name) };
    } finally {
      await lease.release();
    }
  }

  /** From those who are only asked for content first, and in the end from the one who said what the name stands for. */
  async function fetchFromFirst(wanted: Wanted, from: Source, task: Task<PullProgress>): Promise<Published> {
    for (const other of from.before ?? []) {
      try {
        return await fetch(wanted, other, undefined, task);
      } catch (error) {
        task.signal.throwIfAborted();
        if (!isOfSource(error)) throw error;
      }
    }
    return fetch(wanted, from, wanted.reference.digest === undefined ? wanted.reference.tag : undefined, task);
  }

  /** `undefined` if it has to be tried again, for a name that another's fetch did not give. */
  async function shareFetch(wanted: Wanted, from: Source, call: PullCall): Promise<ImageContent | undefined> {
    const key = `${from.repository.name}@${wanted.target.digest}`;
    const { content, names } = await joinOrTry(fetches, key, (task) => fetchFromFirst(wanted, from, task), call);
    return names.includes(nameOf(wanted.reference)) ? content : undefined;
  }

  async function pullReference(reference: Reference, from: Source, { signal, onProgress }: PullCall) {
    const image = givenWithTag(reference);
    let last = resolving(image);
    const report = (progress: PullProgress) => {
      last = { ...progress, image };
      onProgress?.(last);
    };
    report(last);
    const target = await resolve(reference, from, signal);
    const { digest } = target;
    const wanted = { reference, target, at: clock.now() };
    const reportKnown = (progress: PullProgress) => report({ ...progress, digest });
    reportKnown(last);
    const learn = (facts: ImageFacts) => reportKnown({ ...last, facts });
    let vanished: unknown;
    const bring = async () => {
      try {
        return await shareFetch(wanted, from, { signal, onProgress: reportKnown });
      } catch (error) {
        if (!isGone(error)) throw error;
        vanished = error;
        return undefined;
      }
    };
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const content = (await adopt(wanted, signal, learn)) ?? (await bring());
      if (content === undefined) continue;
      const fetched = fetchedBytes(last);
      reportKnown(done(last, content));
      return { id: content.config.digest, digest, fetched, warnings: content.warnings };
    }
    const why = vanished === undefined ? "" : `: ${errorText(vanished)}`;
    throw new PulleyError("CONTENT_MISSING", `what was pulled was removed again before it could be used${why}`, {
      cause: vanished,
      advice: "Pull the image again; if this goes on, look for what deletes content from the store.",
    });
  }

  return {
    status: async (image) => {
      const found = await store.image(image);
      if (found === undefined) return undefined;
      const record = await recordOf(image);
      return { image: found, digest: record?.target.digest, confirmedAt: record?.confirmedAt };
    },

    facts: async (image) => {
      const found = await store.image(image);
      if (found === undefined) return undefined;
      const record = await recordOf(image);
      return readFacts(record?.target ?? found.manifest, found);
    },

    ping: ({ repository }, mirror, signal) => registry.ping(repository, { mirror, signal }),

    size: async (id) => (await store.image(id))?.size ?? 0,

    pull: async (reference, login, call = {}) => {
      try {
        const { mirror, noRetry = false, content = [] } = call;
        const { repository } = reference;
        const before = content.map((other) => {
          return { repository, mirror: other.address, noRetry: true, login: other.login };
        });
        const from = { repository, mirror, noRetry, login, before };
        return await pullReference(reference, from, call);
      } catch (error) {
        throw toldOf(reference, call.mirror, error);
      }
    },
  };
}

/** A failure that says where it happened: at whom was asked or, where that is not named, in the image. */
function toldOf(reference: Reference, mirror: string | undefined, error: unknown): unknown {
  if (isPulleyError(error)) {
    // What fails on this side names no address, but may have one in its words.
    const asked = isOfSource(error) ? (mirror ?? reference.repository.registry) : canonicalText(reference);
    return error.message.includes(asked) ? error : atPlace(canonicalText(reference), error);
  }
  // Who cancels without a reason gets one.
  if (!(error instanceof DOMException && error.name === "AbortError")) return error;
  return new PulleyError("CANCELLED", `${canonicalText(reference)}: the pull was cancelled`, { cause: error });
}

function locationOf({ repository, tag, digest }: Reference): Location {
  const version = digest ?? tag;
  if (version === undefined) throw new PulleyError("INTERNAL", `${repository.name} has neither a tag nor a digest`);
  return { repository, version };
}

/** The name under which the store knows a reference. Where it has a digest, its tag is only a comment. */
function nameOf(reference: Reference): string {
  return canonicalText(reference.digest === undefined ? reference : { ...reference, tag: undefined });
}

function recordsOf({ reference, at }: Wanted, content: ImageContent): readonly ImageRecord[] {
  const { target, manifest, platform, config } = content;
  const pinned = canonicalText({ ...reference, tag: undefined, digest: target.digest });
  return [...new Set([nameOf(reference), pinned])].map((name) => ({
    name,
    target,
    manifest,
    platform,
    image: config.digest,
    confirmedAt: at,
  }));
}

function isSame(known: ImageRecord | undefined, record: ImageRecord): boolean {
  return known?.target.digest === record.target.digest && known.manifest.digest === record.manifest.digest;
}
