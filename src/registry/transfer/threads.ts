import { Worker } from "node:worker_threads";
import { errorText, PulleyError } from "../../support/errors.ts";
import type { Authorization, Granted } from "../auth/authorization.ts";
import type { Endpoint } from "../endpoint.ts";
import { cancellation } from "../failure.ts";
import type { BlobProgress, BlobTarget } from "../types.ts";
import { type FromThread, failureOf, outcomeOf, type ThreadSettings, type ToThread, toError } from "./messages.ts";

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

interface Entry extends PoolJob {
  readonly id: number;
  readonly settle: (error?: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** What it has begun: one that it receives, and perhaps others that only the disk is still busy with. */
  readonly entries: Map<number, Entry>;
  receiving: number | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/** Milliseconds that a thread waits for more work. */
const idleTime = 5_000;

export function createPool({ script, size, settings, environment }: PoolOptions): DownloadPool {
  const threads = new Set<Thread>();
  const waiting: Entry[] = [];
  let jobs = 0;
  let busyHere = false;

  function startThread(): Thread {
    const worker = new Worker(script, { workerData: settings, env: environment, execArgv: [], name: "download" });
    const thread: Thread = { worker, entries: new Map(), receiving: undefined, idleTimer: undefined };
    threads.add(thread);
    worker.on("message", (message: FromThread) => hear(thread, message));
    worker.on("error", (error) => lose(thread, errorText(error)));
    worker.on("exit", (status) => lose(thread, `exit status ${status}`));
    return thread;
  }

  function lose(thread: Thread, reason: string): void {
    threads.delete(thread);
    clearTimeout(thread.idleTimer);
    for (const { settle } of thread.entries.values()) {
      settle(new PulleyError("INTERNAL", `a download thread ended: ${reason}`));
    }
    thread.entries.clear();
    assign();
  }

  /** A thread without work ends after a while, and with the process. */
  function rest(thread: Thread): void {
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
      const entry = waiting.shift();
      if (entry !== undefined) begin(free ?? startThread(), entry);
    }
  }

  function begin(thread: Thread, entry: Entry): void {
    const { id, endpoint, target } = entry;
    clearTimeout(thread.idleTimer);
    thread.worker.ref();
    thread.entries.set(id, entry);
    thread.receiving = id;
    tell(thread, { kind: "start", job: id, endpoint, target });
  }

  function hear(thread: Thread, message: FromThread): void {
    const entry = thread.entries.get(message.job);
    switch (message.kind) {
      case "authorize":
        if (entry !== undefined) void authorize(thread, entry, message);
        break;
      case "progress":
        entry?.onProgress?.(message.progress);
        break;
      case "free":
        release(thread, message.job);
        break;
      case "ended":
        thread.entries.delete(message.job);
        release(thread, message.job);
        entry?.settle(message.outcome.ok ? undefined : toError(message.outcome.failure));
        break;
    }
  }

  function release(thread: Thread, job: number): void {
    if (thread.receiving === job) thread.receiving = undefined;
    assign();
    if (thread.entries.size === 0) rest(thread);
  }

  async function authorize(thread: Thread, entry: Entry, message: FromThread & { kind: "authorize" }): Promise<void> {
    const { authorization } = entry;
    const { question, refusal } = message;
    const answer = refusal === undefined ? held(authorization) : authorization.answer(refusal);
    tell(thread, { kind: "authorization", question, outcome: await outcomeOf(answer) });
  }

  function run(job: PoolJob): Promise<void> {
    const { signal = new AbortController().signal } = job;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(cancellation(signal));
        return;
      }
      jobs += 1;
      const id = jobs;
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
    const position = waiting.findIndex((entry) => entry.id === id);
    if (position >= 0) for (const { settle } of waiting.splice(position, 1)) settle(cancellation(signal));
    const thread = [...threads].find(({ entries }) => entries.has(id));
    if (thread !== undefined) tell(thread, { kind: "stop", job: id, failure: failureOf(cancellation(signal)) });
  }

  return {
    run,
    warmUp: (wanted) => {
      while (threads.size < Math.min(size, wanted)) rest(startThread());
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

function tell({ worker }: Thread, message: ToThread): void {
  worker.postMessage(message);
}
