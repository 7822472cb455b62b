/** The threads of one audit. */
import { Worker } from "node:worker_threads";
import { errorText } from "../../support/errors.ts";
import type { AuditInput } from "../input.ts";
import type { TextAudit } from "../text-audit.ts";
import type { AuditThreadSettings, Batch, BatchAudit } from "./messages.ts";

interface PendingBatch {
  resolve(audits: readonly TextAudit[]): void;
  reject(death: unknown): void;
}

/** A thread, and the batches that it has not answered yet. */
interface AuditThread {
  readonly worker: Worker;
  readonly waiting: Map<number, PendingBatch>;
}

/**
 * The objects of one file are garbage when the next is read: a bigger young generation costs memory and saves no time.
 */
const maxYoungGenerationSizeMb = 8;

/**
 * Threads that audit batches. A file may end its thread, by lack of memory or by a fault: then the files of the thread
 * are audited one at a time, and only the one that ends a thread again is lost.
 */
export class AuditThreads {
  readonly #start: () => AuditThread;
  readonly #failed: (input: AuditInput, why: string) => TextAudit;
  /** `undefined` where a thread has ended, until the next batch comes. */
  readonly #threads: (AuditThread | undefined)[];
  /** Files are audited alone, one after another: more at once would need more memory. */
  #alone: Promise<unknown> = Promise.resolve();

  /** @param failed the result for an input that ends every thread */
  constructor(
    script: URL,
    settings: AuditThreadSettings,
    { size, memory }: { readonly size: number; readonly memory: number },
    failed: (input: AuditInput, why: string) => TextAudit,
  ) {
    this.#start = () => startThread(script, settings, memory);
    this.#failed = failed;
    this.#threads = Array.from({ length: size }, this.#start);
  }

  /** Audits a batch in the thread whose turn it is. Never fails. */
  async audit(batch: Batch): Promise<readonly TextAudit[]> {
    const turn = batch.number % this.#threads.length;
    const thread = this.#threads[turn] ?? this.#start();
    this.#threads[turn] = thread;
    try {
      return await answerOf(thread, batch);
    } catch {
      if (this.#threads[turn] === thread) this.#threads[turn] = undefined;
      const audits = this.#alone.then(() => this.#oneByOne(batch.inputs));
      this.#alone = audits;
      return audits;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.flatMap((thread) => thread?.worker.terminate() ?? []));
  }

  async #oneByOne(inputs: readonly AuditInput[]): Promise<readonly TextAudit[]> {
    const audits: TextAudit[] = [];
    let thread: AuditThread | undefined;
    for (const [number, input] of inputs.entries()) {
      thread ??= this.#start();
      try {
        audits.push(...(await answerOf(thread, { number, inputs: [input] })));
      } catch (death) {
        audits.push(this.#failed(input, errorText(death)));
        thread = undefined;
      }
    }
    await thread?.worker.terminate();
    return audits;
  }
}

function startThread(script: URL, workerData: AuditThreadSettings, memory: number): AuditThread {
  const resourceLimits = { maxYoungGenerationSizeMb, maxOldGenerationSizeMb: memory };
  const worker = new Worker(script, { workerData, resourceLimits });
  const waiting = new Map<number, PendingBatch>();
  const die = (death: unknown) => {
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  worker.on("message", ({ number, audits }: BatchAudit) => {
    waiting.get(number)?.resolve(audits);
    waiting.delete(number);
  });
  worker.on("error", die);
  worker.on("messageerror", die);
  worker.on("exit", () => die(new Error("its thread ended")));
  return { worker, waiting };
}

function answerOf({ worker, waiting }: AuditThread, batch: Batch): Promise<readonly TextAudit[]> {
  const answer = new Promise<readonly TextAudit[]>((resolve, reject) => {
    // A thread that has ended receives no messages and sends no more events.
    if (worker.threadId < 0) reject(new Error("its thread ended"));
    else waiting.set(batch.number, { resolve, reject });
  });
  worker.postMessage(batch);
  return answer;
}
