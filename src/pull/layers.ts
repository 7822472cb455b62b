import { setMaxListeners } from "node:events";
import type { Descriptor, Repository } from "../image/index.ts";
import { type BlobProgress, type RegistryClient, transfersAtOnce } from "../registry/index.ts";
import type { ImageStore, Lease } from "../store/index.ts";
import {
  createSemaphore,
  createSingleFlight,
  type SingleFlight,
  type Task,
  type Waiter,
  type Work,
} from "../support/concurrency.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import type { RepositoryProofs } from "./content-proofs.ts";
import type { LayerProgress } from "./types.ts";

/** Brings layers into the store, each at most once at a time, whichever of a repository's images want it. */
export interface LayerFetcher {
  /**
   * Ends when every layer is here and under the lease's protection, and has been shown by the repository.
   * @throws PulleyError any of the registry and store codes, `CONTENT_MISSING` if a layer vanished again meanwhile
   */
  fetch(
    layers: readonly Descriptor[],
    from: Proving,
    lease: Lease,
    task: Task<readonly LayerProgress[]>,
  ): Promise<void>;
  /** The same for one piece of content; tells which file it comes into, so that it can be read as it comes. */
  bring(layer: Descriptor, from: Proving, lease: Lease, task: Task<Receiving>): Promise<void>;
  /** Whether layers are on their way now. */
  isBusy(): boolean;
}

/** Content on its way. */
export interface Receiving {
  /** The private file that it is received into, from its beginning on. Not verified; gone when it has been. */
  readonly path: string;
  /** Bytes so far. */
  readonly received: number;
}

/** A repository, who is asked for it, and the login that those accept. */
export interface Source {
  readonly repository: Repository;
  /** Base address of a mirror; absent: the repository's own registry. */
  readonly mirror: string | undefined;
  /** Whether there is another source to ask, so that a failure need not be tried again. */
  readonly noRetry: boolean;
  readonly login: Login | undefined;
  /** Who is asked for content before. */
  readonly before?: readonly Source[];
}

/** A source, and what its repository has shown. */
export interface Proving extends Source {
  readonly proofs: RepositoryProofs;
}

export function createLayerFetcher(store: ImageStore, registry: RegistryClient): LayerFetcher {
  const singleFlight = createSingleFlight<void, Receiving>();
  const semaphore = createSemaphore(transfersAtOnce);
  let downloads = 0;

  /** With a lease of its own, because whoever started the download may leave before it ends. */
  async function download(
    layer: Descriptor,
    { repository, mirror, noRetry, login, proofs }: Proving,
    task: Task<Receiving>,
  ): Promise<void> {
    const lease = await store.lease();
    try {
      if (await isHere(layer, proofs, lease)) return;
      const ingest = await lease.ingest(layer, proofs.scope);
      const { path } = ingest;
      task.report({ path, received: ingest.received });
      const blob = { descriptor: layer, path };
      const onProgress = ({ received }: BlobProgress) => task.report({ path, received });
      try {
        await registry.download(repository, blob, { login, mirror, noRetry, signal: task.signal, onProgress });
      } catch (error) {
        // What was received helps the next attempt, unless it was wrong; and on a full disk it is in everybody's way.
        const useless = isPulleyError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH", "DISK_FULL");
        await ingest.abandon(useless ? "discard" : "keep");
        throw error;
      }
      // Before it is there: whoever is killed in between has not been shown it in vain.
      await proofs.note(layer.digest);
      await ingest.commit();
    } finally {
      await lease.release();
    }
  }

  function downloadInTurn(layer: Descriptor, from: Proving): Work<void, Receiving> {
    return async (task) => {
      const release = await semaphore.acquire(task.signal);
      downloads += 1;
      try {
        await download(layer, from, task);
      } finally {
        downloads -= 1;
        release();
      }
    };
  }

  async function bringOne(layer: Descriptor, from: Proving, lease: Lease, { signal, report }: Task<Receiving>) {
    const waiter = { signal, onProgress: report };
    // Who was told another size waits for something else, and who asks another repository has not been shown this.
    const key = JSON.stringify([from.proofs.scope, layer.digest, layer.size]);
    // The download's own lease ends with it, and nothing else would keep the layer.
    await lease.keep(layer.digest);
    await joinOrTry(singleFlight, key, downloadInTurn(layer, from), waiter);
    if (!(await lease.has(layer))) throw vanished(layer);
  }

  return {
    isBusy: () => downloads > 0,

    bring: async (layer, from, lease, task) => {
      if (await isHere(layer, from.proofs, lease)) return;
      await lease.ensureRoom(layer.size);
      await bringOne(layer, from, lease, task);
    },

    fetch: async (layers, from, lease, { signal, report }) => {
      const progress = new Map<string, LayerProgress>();
      const note = (layer: Descriptor, state: LayerProgress["state"], received: number) =>
        progress.set(layer.digest, { digest: layer.digest, size: layer.size, received, state });
      const missing: Descriptor[] = [];
      for (const layer of layers) {
        const here = await isHere(layer, from.proofs, lease);
        note(layer, here ? "exists" : "waiting", here ? layer.size : 0);
        if (!here) missing.push(layer);
      }
      report([...progress.values()]);
      if (missing.length === 0) return;
      await lease.ensureRoom(missing.reduce((sum, { size }) => sum + size, 0));

      const fetchOne = async (layer: Descriptor, others: AbortSignal) => {
        const hear = ({ received }: Receiving) => {
          note(layer, "downloading", received);
          report([...progress.values()]);
        };
        await bringOne(layer, from, lease, { signal: others, report: hear });
        note(layer, "complete", layer.size);
        report([...progress.values()]);
      };
      // The biggest first, so that the last to end is not the one that began last.
      const inOrder = missing.sort((one, other) => other.size - one.size);
      await allOrNone(inOrder, signal, fetchOne);
    },
  };
}

/** Whether content is here that may be used for the repository. What it has not shown is not even looked for. */
async function isHere(layer: Descriptor, { has }: RepositoryProofs, lease: Lease): Promise<boolean> {
  return has(layer.digest) && (await lease.has(layer));
}

/**
 * Joins work that is under way; if it was another's and that one failed, tries once more, because it may have failed for a reason of
 * the other's own: its login, or its registry.
 */
export async function joinOrTry<Result, Progress>(
  singleFlight: SingleFlight<Result, Progress>,
  key: string,
  work: Work<Result, Progress>,
  waiter: Waiter<Progress>,
): Promise<Result> {
  const anothers = singleFlight.has(key);
  try {
    return await singleFlight.join(key, work, waiter);
  } catch (error) {
    if (!anothers || waiter.signal?.aborted) throw error;
    return singleFlight.join(key, work, waiter);
  }
}

/** Runs all at once; after the first failure the others are stopped and awaited, then that failure is thrown. */
async function allOrNone<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  run: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // Every item listens: without this, Node would take more than ten of them for a leak.
  setMaxListeners(0, either);
  let failure: { readonly error: unknown } | undefined;
  const runOne = async (item: Item) => {
    try {
      await run(item, either);
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  };
  await Promise.all(items.map(runOne));
  if (failure !== undefined) throw failure.error;
}

function vanished({ digest }: Descriptor): PulleyError {
  return new PulleyError("CONTENT_MISSING", `${digest} was removed from the store as soon as it was there`);
}
