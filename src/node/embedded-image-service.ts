import { configLimit } from "../image/config.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { manifestLimit } from "../image/manifest.ts";
import type { Platform } from "../image/platform.ts";
import { canonicalText, parseReference, type Reference, withImpliedTag } from "../image/reference.ts";
import type { Location, RegistryClient } from "../registry/index.ts";
import type { ImageRecord, ImageStore, Lease } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { createLayerFetcher, joinOrTry, type Source } from "./fetch.ts";
import { type Crew, createFlights } from "./flight.ts";
import { type ContentSource, type ImageContent, readContent } from "./image-content.ts";
import type { ImageService } from "./image-service.ts";
import { loginKey } from "./puller.ts";
import type { LayerProgress, PullProgress } from "./types.ts";

export interface EmbeddedImageServiceOptions {
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  readonly platform: Platform;
  readonly clock: Clock;
}

/** What a fetch has brought in, and under which names; others who waited for it may want other names. */
interface Published {
  readonly content: ImageContent;
  readonly names: readonly string[];
}

/** How often a pull begins anew because content was removed while it was going on. */
const mostAttempts = 3;

/**
 * Images in a store of Pulley's own. Every pull asks the registry with its own login what the name stands for, by one
 * HEAD; whatever is here already is not fetched again, and what several pulls want at once is fetched once.
 */
export function createEmbeddedImageService(options: EmbeddedImageServiceOptions): ImageService {
  const { store, registry, platform, clock } = options;
  const layers = createLayerFetcher(store, registry);
  const heads = createFlights<Descriptor>();
  const fetches = createFlights<Published, PullProgress>();

  async function resolve(reference: Reference, login: Login | undefined, signal: AbortSignal | undefined) {
    const key = `${loginKey(login)} ${canonicalText(reference)}`;
    const ask = (crew: Crew<never>) => registry.resolve(locationOf(reference), { login, signal: crew.signal });
    const target = await heads.join(key, ask, { signal });
    if (reference.digest === undefined || reference.digest === target.digest) return target;
    throw new PulleyError(
      "DIGEST_MISMATCH",
      `${canonicalText(reference)}: the registry answered with ${target.digest} instead`,
    );
  }

  /** Gives an image that is complete the names that it has now; `undefined` if something is missing. */
  async function adopt(reference: Reference, target: Descriptor, at: number): Promise<ImageContent | undefined> {
    const lease = await store.lease();
    try {
      const content = await readContent(target, platform, localSource(store, lease));
      for (const layer of content.layers) if (!(await lease.has(layer))) return undefined;
      const records = recordsOf(reference, content, at);
      const known = await Promise.all(records.map(async (record) => isSame(await store.record(record.name), record)));
      if (known.every(Boolean)) await Promise.all(records.map(({ name }) => store.confirm(name, at)));
      else await lease.publish(records);
      return content;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    } finally {
      await lease.release();
    }
  }

  async function fetch(reference: Reference, target: Descriptor, at: number, from: Source, crew: Crew<PullProgress>) {
    const lease = await store.lease();
    try {
      const content = await readContent(target, platform, remoteSource(registry, store, lease, from, crew.signal));
      const report = (progress: readonly LayerProgress[]) => crew.report(downloading(reference.given, progress));
      await layers.fetch(content.layers, from, lease, { signal: crew.signal, report });
      const records = recordsOf(reference, content, at);
      await lease.publish(records);
      return { content, names: records.map(({ name }) => name) };
    } finally {
      await lease.release();
    }
  }

  return {
    status: async (image) => {
      const found = await store.image(image);
      if (found === undefined) return undefined;
      const record = await store.record(nameOf(withImpliedTag(parseReference(image))));
      return { image: found, digest: record?.target.digest, confirmedAt: record?.confirmedAt };
    },

    size: async (id) => (await store.image(id))?.size ?? 0,

    pull: async (image, login, { signal, onProgress } = {}) => {
      const reference = withImpliedTag(parseReference(image));
      const report = (progress: PullProgress) => onProgress?.({ ...progress, image });
      report(resolving(image));
      const target = await resolve(reference, login, signal);
      const at = clock.now();
      const from = { repository: reference.repository, login };
      const key = `${reference.repository.name}@${target.digest}`;
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const content = (await adopt(reference, target, at)) ?? (await fetchOnce());
        if (content !== undefined) {
          report(done(image, content));
          return content.config.digest;
        }
      }
      throw new PulleyError("CONTENT_MISSING", `${image}: what was pulled was removed again before it could be used`, {
        advice: "Pull the image again; if this goes on, look for what deletes content from the store.",
      });

      /** `undefined` if it has to be tried again: for a name that another's fetch did not give, or what vanished. */
      async function fetchOnce(): Promise<ImageContent | undefined> {
        const work = (crew: Crew<PullProgress>) => fetch(reference, target, at, from, crew);
        try {
          const { content, names } = await joinOrTry(fetches, key, work, { signal, onProgress: report });
          return names.includes(nameOf(reference)) ? content : undefined;
        } catch (error) {
          if (isGone(error)) return undefined;
          throw error;
        }
      }
    },
  };
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

function recordsOf(reference: Reference, content: ImageContent, confirmedAt: number): readonly ImageRecord[] {
  const { target, manifest, platform, config } = content;
  const pinned = canonicalText({ ...reference, tag: undefined, digest: target.digest });
  return [...new Set([nameOf(reference), pinned])].map((name) => ({
    name,
    target,
    manifest,
    platform,
    image: config.digest,
    confirmedAt,
  }));
}

function isSame(known: ImageRecord | undefined, record: ImageRecord): boolean {
  return known?.target.digest === record.target.digest && known.manifest.digest === record.manifest.digest;
}

/** Content that is not in the store, or not as it should be: the next attempt fetches it. */
function isGone(error: unknown): boolean {
  return isPulleyError(error, "IMAGE_NOT_FOUND", "CONTENT_MISSING", "BLOB_DAMAGED");
}

function localSource(store: ImageStore, lease: Lease): ContentSource {
  const read = async (descriptor: Descriptor, limit: number) => {
    if (await lease.has(descriptor)) return store.read(descriptor.digest, limit);
    throw new PulleyError("CONTENT_MISSING", `${descriptor.digest} is not in the store`);
  };
  return {
    manifest: (descriptor) => read(descriptor, manifestLimit),
    config: (descriptor) => read(descriptor, configLimit),
  };
}

/** Reads through the store: what is fetched is also put there, and what is there is not fetched. */
function remoteSource(
  registry: RegistryClient,
  store: ImageStore,
  lease: Lease,
  { repository, login }: Source,
  signal: AbortSignal,
): ContentSource {
  const local = localSource(store, lease);
  const through = async (
    descriptor: Descriptor,
    read: (descriptor: Descriptor) => Promise<Uint8Array>,
    fetchIt: () => Promise<Uint8Array>,
  ) => {
    try {
      return await read(descriptor);
    } catch (error) {
      if (!isGone(error)) throw error;
      const bytes = await fetchIt();
      await lease.put(descriptor, bytes);
      return bytes;
    }
  };
  const call = { login, signal };
  return {
    manifest: (descriptor) =>
      through(descriptor, local.manifest, async () => {
        const fetched = await registry.manifest({ repository, version: descriptor.digest }, call);
        return fetched.bytes;
      }),
    config: (descriptor) =>
      through(descriptor, local.config, () => registry.blob(repository, descriptor, configLimit, call)),
  };
}

function resolving(image: string): PullProgress {
  return { image, phase: "resolving", received: 0, total: 0, layers: [] };
}

function downloading(image: string, layers: readonly LayerProgress[]): PullProgress {
  const sum = (of: (layer: LayerProgress) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  const [received, total] = [sum((layer) => layer.received), sum((layer) => layer.size)];
  return { image, phase: "downloading", received, total, layers };
}

function done(image: string, content: ImageContent): PullProgress {
  const layers = content.layers.map(
    ({ digest, size }): LayerProgress => ({ digest, size, received: size, state: "complete" }),
  );
  return { ...downloading(image, layers), phase: "done" };
}
