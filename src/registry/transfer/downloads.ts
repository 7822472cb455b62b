/** Downloads of blobs: a large one in a thread, so that hashing and writing use more than one core, a small one here. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Authorization } from "../auth/authorization.ts";
import { named } from "../failure.ts";
import { transfersAtOnce } from "../limits.ts";
import type { Session } from "../session.ts";
import type { BlobTarget } from "../types.ts";
import { type DownloadOptions, downloadBlob } from "./download.ts";
import { createPool, type DownloadPool, type PoolOptions } from "./threads.ts";

/** Bytes from which on a blob is worth a thread: below, starting one takes longer than the download. */
const threadWorthy = 1024 * 1024;

export interface Downloads {
  /** Says that blobs of these sizes may soon be asked for: starting a thread takes as long as several small requests. */
  expect(sizes: readonly number[]): void;
  /** As `RegistryClient.download`. */
  run(session: Session, authorization: Authorization, target: BlobTarget, options: DownloadOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DownloadsOptions extends Omit<PoolOptions, "size"> {
  /** Most large blobs at once; by default as many as there are processors, from 2 to {@link transfersAtOnce}. */
  readonly size?: number | undefined;
  /** Whether the calling thread takes one of them, so that there is a thread less. */
  readonly takesPart: boolean;
}

export function createDownloads({ size = defaultSize(), takesPart, ...options }: DownloadsOptions): Downloads {
  const hasThreads = existsSync(options.script);
  let pool: DownloadPool | undefined;

  function threads(): DownloadPool {
    pool ??= createPool({ ...options, size: takesPart ? size - 1 : size });
    return pool;
  }

  return {
    expect: (sizes) => {
      const large = sizes.filter((bytes) => bytes >= threadWorthy).length;
      if (hasThreads) threads().warmUp(takesPart ? large - 1 : large);
    },
    run: async (session, authorization, target, downloading) => {
      const { signal, onProgress } = downloading;
      const { endpoint } = session;
      const here = () => downloadBlob(session, target, downloading);
      const job = { endpoint, target, authorization, signal, onProgress, here: takesPart ? here : undefined };
      const inThread = hasThreads && target.descriptor.size >= threadWorthy;
      await (inThread ? threads().run(job) : here()).catch((error: unknown) => {
        throw named(error, signal);
      });
    },
    close: async () => pool?.close(),
  };
}

function defaultSize(): number {
  return Math.min(transfersAtOnce, Math.max(2, availableParallelism()));
}
