/** Downloads of blobs: a large one in a thread, so that hashing and writing use more than one core, a small one here. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { errorText, PulleyError } from "../../support/errors.ts";
import type { Authorization, Granted } from "../auth/authorization.ts";
import type { Endpoint } from "../endpoint.ts";
import { cancellation, named } from "../failure.ts";
import { transfersAtOnce } from "../limits.ts";
import type { Session } from "../session.ts";
import type { BlobProgress, BlobTarget } from "../types.ts";
import { type DownloadOptions, downloadBlob } from "./download.ts";
import { type FromThread, failureOf, resultOf, type ThreadSettings, type ToThread, toError } from "./messages.ts";

/** Bytes from which on a blob is worth a thread: below, starting one takes longer than the download. */
const threadWorthy = 1024 * 1024;

export interface Downloads {
  /**
   * Starts threads for blobs of these sizes, which may soon be asked for: starting one takes as long as several small
   * requests.
   */
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

export interface PoolJob {
  /** Downloads the blob on the calling thread; given where that thread takes its part of the work. */
  readonly here?: (() => Promise<void>) | undefined;
  readonly endpoint: Endpoint;
  readonly target: BlobTarget;
  readonly authorization: Authorization;
  readonly signal: AbortSignal | undefined;
  readonly onProgress?: ((progress: BlobProgress) => void) | undefined;
}

/** Threads that download blobs: started when there is work for them, ended when there has been none for a while. */
export interface DownloadPool {
  /** Ends when the blob is on the disk; after an abort, when its thread has let go of the file. */
  run(job: PoolJob): Promise<void>;
  /** Starts threads, so that as many are there when work comes; they do not keep the process alive. */
  warmUp(threads: number): void;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly script: URL;
  /** Most threads. */
  readonly size: number;
  readonly settings: ThreadSettings;
  /** What the threads see as theirs, for proxies and certificate files. */
  readonly environment: NodeJS.ProcessEnv;
}

interface RunningJob extends PoolJob {
  readonly id: number;
  readonly settle: (error?: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** What it has begun: one that it receives, and perhaps others that only the disk is still busy with. */
  readonly jobs: Map<number, RunningJob>;
  receiving: number | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/** Milliseconds that a thread waits for more work. */
const idleTime = 5_000;

export function createPool({ script, size, settings, environment }: PoolOptions): DownloadPool {
  const threads = new Set<Thread>();
  const waiting: RunningJob[] = [];
  let jobsGiven = 0;
  let busyHere = false;

  function startThread(): Thread {
    const worker = new Worker(script, { workerData: settings, env: environment, execArgv: [], name: "download" });
    const thread: Thread = { worker, jobs: new Map(), receiving: undefined, idleTimer: undefined };
    threads.add(thread);
    worker.on("message", (message: FromThread) => receive(thread, message));
    worker.on("error", (error) => forget(thread, errorText(error)));
    worker.on("exit", (status) => forget(thread, `exit status ${status}`));
    return thread;
  }

  function forget(thread: Thread, reason: string): void {
    threads.delete(thread);
    clearTimeout(thread.idleTimer);
    for (const { settle } of thread.jobs.values()) {
      settle(new PulleyError("INTERNAL", `a download thread ended: ${reason}`));
    }
    thread.jobs.clear();
    assign();
  }

  /** A thread without work ends after a while, and with the process. */
  function waitForWork(thread: Thread): void {
    thread.worker.unref();
    thread.idleTimer = setTimeout(() => void thread.worker.terminate(), idleTime).unref();
  }

  /** The calling thread comes first, because it need not be started. */
  function assign(): void {
    const first = waiting[0];
    if (first?.here !== undefined && !busyHere) {
      waiting.shift();
      busyHere = true;
      const done = () => {
        busyHere = false;
        assign();
      };
      first
        .here()
        .then(() => first.settle(), first.settle)
        .finally(done);
    }
    while (waiting.length > 0) {
      const free = [...threads].find(({ receiving }) => receiving === undefined);
      if (free === undefined && threads.size >= size) return;
      const job = waiting.shift();
      if (job !== undefined) begin(free ?? startThread(), job);
    }
  }

  function begin(thread: Thread, job: RunningJob): void {
    const { id, endpoint, target } = job;
    clearTimeout(thread.idleTimer);
    thread.worker.ref();
    thread.jobs.set(id, job);
    thread.receiving = id;
    send(thread, { kind: "start", job: id, endpoint, target });
  }

  function receive(thread: Thread, message: FromThread): void {
    const job = thread.jobs.get(message.job);
    switch (message.kind) {
      case "authorize":
        if (job !== undefined) void authorize(thread, job, message);
        break;
      case "progress":
        job?.onProgress?.(message.progress);
        break;
      case "free":
        release(thread, message.job);
        break;
      case "ended":
        thread.jobs.delete(message.job);
        release(thread, message.job);
        job?.settle(message.result.ok ? undefined : toError(message.result.failure));
        break;
    }
  }

  function release(thread: Thread, job: number): void {
    if (thread.receiving === job) thread.receiving = undefined;
    assign();
    if (thread.jobs.size === 0) waitForWork(thread);
  }

  async function authorize(
    thread: Thread,
    job: RunningJob,
    message: FromThread & { kind: "authorize" },
  ): Promise<void> {
    const { authorization } = job;
    const { question, refusal } = message;
    const answer = refusal === undefined ? held(authorization) : authorization.answer(refusal);
    send(thread, { kind: "authorization", question, result: await resultOf(answer) });
  }

  function run(job: PoolJob): Promise<void> {
    const { signal = new AbortController().signal } = job;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(cancellation(signal));
        return;
      }
      jobsGiven += 1;
      const id = jobsGiven;
      const stop = () => stopJob(id, signal);
      const settle = (error?: unknown) => {
        signal.removeEventListener("abort", stop);
        if (error === undefined) resolve();
        else reject(error);
      };
      signal.addEventListener("abort", stop, { once: true });
      waiting.push({ ...job, id, settle });
      assign();
    });
  }

  function stopJob(id: number, signal: AbortSignal): void {
    const position = waiting.findIndex((job) => job.id === id);
    if (position >= 0) for (const { settle } of waiting.splice(position, 1)) settle(cancellation(signal));
    const thread = [...threads].find(({ jobs }) => jobs.has(id));
    if (thread !== undefined) send(thread, { kind: "stop", job: id, failure: failureOf(cancellation(signal)) });
  }

  return {
    run,
    warmUp: (wanted) => {
      while (threads.size < Math.min(size, wanted)) waitForWork(startThread());
    },
    close: async () => {
      for (const { settle } of waiting.splice(0))
        settle(new PulleyError("CANCELLED", "the registry client was closed"));
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

async function held(authorization: Authorization): Promise<Granted | undefined> {
  const header = await authorization.current();
  return header === undefined ? undefined : { header, fresh: false, isLast: false };
}

function send({ worker }: Thread, message: ToThread): void {
  worker.postMessage(message);
}
