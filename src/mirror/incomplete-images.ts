/**
 * Content that was fetched for a repository and that no name in the store keeps yet: a client pulls an image piece
 * by piece, and it is an image only when the last piece is here. Until then a lease protects it; what is not asked for any
 * more is released.
 */
import {
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
  parseManifest,
  type Repository,
  type Tag,
} from "../image/index.ts";
import { contentsOf } from "../pull/index.ts";
import type { Fetched } from "../registry/index.ts";
import type { ImageStore, Lease } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { ClientAuth } from "./client-auth.ts";

export interface IncompleteDocument {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly document: Manifest | Index;
  /** The tags under which it was asked for. */
  readonly tags: ReadonlySet<Tag>;
  /** The login of the last request. */
  readonly caller: ClientAuth;
  readonly lease: Lease;
}

export interface IncompleteImages {
  /**
   * Notes the digest of a tag: a client resolves the tag first, and then gets the document by its digest, which does not
   * say under which name the image is wanted.
   */
  noteTag(repository: Repository, tag: Tag, digest: Digest): void;
  /** Puts a document of the repository into the store, under a lease. @throws PulleyError `MANIFEST_INVALID`, store codes */
  add(repository: Repository, fetched: Fetched, caller: ClientAuth): Promise<void>;
  /** Notes content that was fetched by its digest alone, once its size has been verified. */
  addLoose(repository: Repository, descriptor: Descriptor): Promise<void>;
  documents(repository: Repository): readonly IncompleteDocument[];
  /**
   * A document of the repository, or content that a document lists; with the lease that protects it. That a document
   * lists something does not show that the repository has it: see `ContentProofs`.
   */
  find(repository: Repository, digest: Digest): FoundContent | undefined;
  drop(repository: Repository, digest: Digest): Promise<void>;
  /** Releases what was not asked for lately. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface FoundContent {
  readonly descriptor: Descriptor;
  readonly lease: Lease;
  /** The document that it is, or that lists it; absent for loose content. */
  readonly document: IncompleteDocument | undefined;
}

interface IncompleteContent {
  readonly repository: Repository;
  /** As it was verified last; the type of loose content is unknown. */
  descriptor: Descriptor;
  readonly lease: Lease;
  document: Manifest | Index | undefined;
  caller: ClientAuth;
  usedAt: number;
}

/** What a tag stood for when it was asked for. */
interface Tagged {
  readonly repository: Repository;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly at: number;
}

/** Most documents and loose contents, and most tags; the least recently used goes first. */
const most = 1_000;

export function createIncompleteImages(store: ImageStore, clock: Clock, keepFor: number): IncompleteImages {
  const entries = new Map<string, IncompleteContent>();
  const tagged = new Map<string, Tagged>();
  const opening = new Map<string, Promise<IncompleteContent>>();
  let closed = false;

  async function open(repository: Repository, descriptor: Descriptor): Promise<IncompleteContent> {
    const lease = await store.lease();
    const entry: IncompleteContent = {
      repository,
      descriptor,
      lease,
      document: undefined,
      caller: { login: undefined },
      usedAt: clock.now(),
    };
    try {
      // From here on the lease keeps the content.
      await lease.has(descriptor);
    } catch (error) {
      await lease.release();
      throw error;
    }
    if (closed) await lease.release();
    else entries.set(keyOf(repository, descriptor.digest), entry);
    await keepTo(most);
    return entry;
  }

  function entryFor(repository: Repository, descriptor: Descriptor): Promise<IncompleteContent> {
    const key = keyOf(repository, descriptor.digest);
    const known = entries.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const running = opening.get(key) ?? open(repository, descriptor).finally(() => opening.delete(key));
    opening.set(key, running);
    return running;
  }

  async function remove(entry: IncompleteContent): Promise<void> {
    entries.delete(keyOf(entry.repository, entry.descriptor.digest));
    await entry.lease.release();
  }

  async function keepTo(count: number): Promise<void> {
    const oldest = [...entries.values()].sort((one, other) => one.usedAt - other.usedAt);
    for (const entry of oldest.slice(0, Math.max(0, entries.size - count))) await remove(entry);
  }

  function of(repository: Repository): IncompleteContent[] {
    return [...entries.values()].filter((entry) => entry.repository.name === repository.name);
  }

  function found(entry: IncompleteContent, descriptor: Descriptor): FoundContent {
    entry.usedAt = clock.now();
    return { descriptor, lease: entry.lease, document: documentOf(entry) };
  }

  function documentOf({ document, ...entry }: IncompleteContent): IncompleteDocument | undefined {
    if (document === undefined) return undefined;
    const { repository, descriptor } = entry;
    const own = [...tagged.values()].filter(
      (one) => one.digest === descriptor.digest && one.repository.name === repository.name,
    );
    return { ...entry, document, tags: new Set(own.map(({ tag }) => tag)) };
  }

  return {
    noteTag: (repository, tag, digest) => {
      const key = `${repository.name}:${tag}`;
      tagged.delete(key);
      tagged.set(key, { repository, tag, digest, at: clock.now() });
      const [oldest] = tagged.keys();
      if (tagged.size > most && oldest !== undefined) tagged.delete(oldest);
    },

    add: async (repository, { descriptor, bytes }, caller) => {
      const document = parseManifest(bytes, descriptor.mediaType);
      const entry = await entryFor(repository, descriptor);
      await entry.lease.put(descriptor, bytes);
      entry.descriptor = descriptor;
      entry.document = document;
      entry.caller = caller;
      entry.usedAt = clock.now();
    },

    addLoose: async (repository, descriptor) => {
      const entry = await entryFor(repository, descriptor);
      entry.usedAt = clock.now();
    },

    documents: (repository) => of(repository).flatMap((entry) => documentOf(entry) ?? []),

    find: (repository, digest) => {
      const own = entries.get(keyOf(repository, digest));
      if (own !== undefined) return found(own, own.descriptor);
      for (const entry of of(repository)) {
        const listed = contentsOf(entry.document).find((content) => content.digest === digest);
        if (listed !== undefined) return found(entry, listed);
      }
      return undefined;
    },

    drop: async (repository, digest) => {
      const entry = entries.get(keyOf(repository, digest));
      if (entry !== undefined) await remove(entry);
    },

    sweep: async () => {
      const old = [...entries.values()].filter(({ usedAt }) => clock.now() - usedAt > keepFor);
      for (const entry of old) await remove(entry);
      for (const [key, { at }] of tagged) if (clock.now() - at > keepFor) tagged.delete(key);
    },

    close: async () => {
      closed = true;
      await keepTo(0);
    },
  };
}

function keyOf({ name }: Repository, digest: Digest): string {
  return `${name}@${digest}`;
}
