/** The threads of one audit. */
import { Worker } from "node:worker_threads";
import { errorText, PulleyError } from "../../support/errors.ts";
import type { TextAudit } from "../text-audit.ts";
import type { Batch, BatchAudit, ThreadSettings } from "./messages.ts";

interface Waiting {
  resolve(audits: readonly TextAudit[]): void;
  reject(error: PulleyError): void;
}

/**
 * What a thread makes of a file is of no use after the next: room for more of it than this costs memory and saves no time.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };

export class AuditThreads {
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #failure: PulleyError | undefined;

  constructor(script: URL, settings: ThreadSettings, size: number) {
    this.#workers = Array.from({ length: size }, () => this.#start(script, settings));
  }

  /** Audits a batch in the thread whose turn it is; fails with `INTERNAL` if a thread dies. */
  audit(batch: Batch): Promise<readonly TextAudit[]> {
    const answer = new Promise<readonly TextAudit[]>((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.set(batch.number, { resolve, reject });
      else reject(this.#failure);
    });
    // Others may be waited for first; whoever waits for this one learns of its failure then.
    answer.catch(() => undefined);
    this.#workers[batch.number % this.#workers.length]?.postMessage(batch);
    return answer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(script: URL, workerData: ThreadSettings): Worker {
    const worker = new Worker(script, { workerData, resourceLimits });
    worker.on("message", ({ number, audits }: BatchAudit) => {
      this.#waiting.get(number)?.resolve(audits);
      this.#waiting.delete(number);
    });
    worker.on("error", (error) => this.#fail(`an audit thread died: ${errorText(error)}`));
    worker.on("exit", () => this.#fail("an audit thread ended before its work"));
    return worker;
  }

  #fail(message: string): void {
    this.#failure ??= new PulleyError("INTERNAL", message);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
