/** All blobs of an image: the large ones in threads, biggest first, the small ones here meanwhile. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Authorization } from "./authorization.ts";
import { type DownloadOptions, downloadBlob } from "./download.ts";
import { named } from "./failure.ts";
import { createPool, type DownloadPool, type PoolOptions } from "./pool.ts";
import type { Session } from "./session.ts";
import type { BlobTarget } from "./types.ts";

/** Another way to a blob that could not be downloaded; throws the failure where there is none. */
export type Elsewhere = (target: BlobTarget, error: unknown, signal: AbortSignal) => Promise<void>;

export interface RunOptions extends DownloadOptions {
  readonly elsewhere?: Elsewhere;
}

/** Bytes from which on a blob is worth a thread: below, starting one takes longer than the download. */
const threadWorthy = 1024 * 1024;
const smallAtOnce = 3;

export interface Downloads {
  /** Says that blobs of these sizes may soon be asked for: starting a thread takes as long as several small requests. */
  expect(sizes: readonly number[]): void;
  /** As `RegistryClient.download`. */
  run(session: Session, authorization: Authorization, blobs: readonly BlobTarget[], options: RunOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DownloadsOptions extends Omit<PoolOptions, "size"> {
  /** Most large blobs at once; by default as many as there are processors, from 2 to 6. */
  readonly size?: number | undefined;
  /** Whether the calling thread takes one of them, so that there is a thread less. */
  readonly takesPart: boolean;
}

export function createDownloads({ size = defaultSize(), takesPart, ...options }: DownloadsOptions): Downloads {
  const threadsAtMost = takesPart ? size - 1 : size;
  let pool: DownloadPool | undefined;
  const hasThreads = existsSync(options.script);

  function threads(): DownloadPool {
    pool ??= createPool({ ...options, size: threadsAtMost });
    return pool;
  }

  return {
    expect: (sizes) => {
      const large = sizes.filter((bytes) => bytes >= threadWorthy).length;
      if (hasThreads) threads().warmUp(takesPart ? large - 1 : large);
    },
    run: async (session, authorization, blobs, { signal, elsewhere, ...rest }) => {
      const failed = new AbortController();
      const any = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
      const here = (target: BlobTarget) => downloadBlob(session, target, { ...rest, signal: any });
      const inThread = (target: BlobTarget) => {
        const { endpoint } = session;
        const job = { endpoint, target, authorization, signal: any, onProgress: rest.onProgress };
        return threads().run({ ...job, here: takesPart ? () => here(target) : undefined });
      };
      const orElsewhere = (download: (target: BlobTarget) => Promise<void>) => async (target: BlobTarget) => {
        try {
          await download(target);
        } catch (error) {
          if (elsewhere === undefined) throw error;
          await elsewhere(target, error, any);
        }
      };
      const targets = distinct(blobs).sort((one, other) => other.descriptor.size - one.descriptor.size);
      const large = targets.filter(({ descriptor }) => descriptor.size >= threadWorthy);
      const small = targets.filter(({ descriptor }) => descriptor.size < threadWorthy);
      const works = [
        ...(hasThreads ? large.map(orElsewhere(inThread)) : inLanes(size, large, orElsewhere(here))),
        ...inLanes(smallAtOnce, small, orElsewhere(here)),
      ];
      // All of them are waited for, so that nothing goes on behind the caller's back; the first failure stays the reason.
      await Promise.all(works.map((work) => work.catch((error: unknown) => failed.abort(error))));
      if (failed.signal.aborted) throw named(failed.signal.reason, signal);
    },
    close: async () => pool?.close(),
  };
}

function defaultSize(): number {
  return Math.min(6, Math.max(2, availableParallelism()));
}

/** A manifest may name the same layer twice; two downloads into one file would spoil each other. */
function distinct(blobs: readonly BlobTarget[]): BlobTarget[] {
  return [...new Map(blobs.map((blob) => [blob.path, blob])).values()];
}

/** Starts as many lanes as given; each takes the next item when it is done with one, and ends with its first failure. */
function inLanes<T>(lanes: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void>[] {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  return Array.from({ length: Math.min(lanes, items.length) }, lane);
}
