/** Audits on several processors: what takes the time is parsing, and that needs nothing but the text. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { PolicyText } from "../../policy/language/read.ts";
import { type AuditCall, AuditCourse, type AuditFile } from "../audit.ts";
import type { AuditInput } from "../input.ts";
import type { TextAudit } from "../text-audit.ts";
import type { Batch, ThreadSettings } from "./messages.ts";
import { AuditThreads } from "./threads.ts";

export interface ThreadedCall extends AuditCall {
  /** The texts of `policy`, for the threads to read; without them an audit by a policy has one thread only. */
  readonly policyTexts?: readonly PolicyText[];
  /** How many threads; as many as there are processors, from 2 to 8, where absent. */
  readonly threads?: number;
  /** The built thread; the one beside this program where absent. */
  readonly script?: URL;
  /** Inputs from which on threads are worth their start. */
  readonly threadWorthy?: number;
}

/** Bigger batches cost fewer messages; smaller ones are spread better. */
const batchInputs = 32;
const batchLength = 256 * 1024;
/** Batches for each thread that are under way at once: one that it audits, and one that waits for it. */
const batchesAhead = 2;

/**
 * As `audit`, with the same answers in the same order, in less time where there are many inputs: the first few hundred
 * are audited here, the others in threads.
 * @throws whatever the inputs throw; PulleyError `INTERNAL` if a thread dies
 */
export async function* auditInThreads(
  inputs: AsyncIterable<AuditInput>,
  call: ThreadedCall,
): AsyncGenerator<AuditFile> {
  const course = new AuditCourse(call);
  const script = call.script ?? new URL("./audit-worker.mjs", import.meta.url);
  const canThread = existsSync(script) && (course.standards.policy === undefined || call.policyTexts !== undefined);
  const { threadWorthy = 300, threads = Math.min(8, Math.max(2, availableParallelism())) } = call;
  const here = canThread ? threadWorthy : Number.POSITIVE_INFINITY;
  const iterator = inputs[Symbol.asyncIterator]();
  try {
    for (let count = 0; count < here; count += 1) {
      const { done, value } = await iterator.next();
      if (done === true) return yield course.end();
      yield course.take(value);
    }
    const pool = new AuditThreads(script, settingsOf(call), threads);
    try {
      yield* settled(batchesOf(iterator), pool, threads * batchesAhead, course);
    } finally {
      await pool.close();
    }
    yield course.end();
  } finally {
    await iterator.return?.();
  }
}

/** All that survives the way into a thread. */
function settingsOf({ profile, severities, movingTags, fixes, now, policyTexts = [] }: ThreadedCall): ThreadSettings {
  return { profile, severities, movingTags, fixes, now, policyTexts };
}

/** Hands batches to the threads, some ahead, and settles their answers in the order of the inputs. */
async function* settled(
  batches: AsyncGenerator<Batch>,
  pool: AuditThreads,
  ahead: number,
  course: AuditCourse,
): AsyncGenerator<AuditFile> {
  const underway: { readonly batch: Batch; readonly audits: Promise<readonly TextAudit[]> }[] = [];
  for (let ended = false; !ended || underway.length > 0; ) {
    while (!ended && underway.length < ahead) {
      const { done, value: batch } = await batches.next();
      if (done === true) ended = true;
      else underway.push({ batch, audits: pool.audit(batch) });
    }
    const first = underway.shift();
    if (first === undefined) return;
    const audits = await first.audits;
    for (const [index, input] of first.batch.inputs.entries()) {
      const own = audits[index];
      if (own !== undefined) yield course.settle(input, own);
    }
  }
}

async function* batchesOf(inputs: AsyncIterator<AuditInput>): AsyncGenerator<Batch> {
  for (let number = 0; ; number += 1) {
    const batch: AuditInput[] = [];
    let length = 0;
    while (batch.length < batchInputs && length < batchLength) {
      const { done, value } = await inputs.next();
      if (done === true) break;
      batch.push(value);
      length += value.kind === "text" ? value.text.length : 0;
    }
    if (batch.length === 0) return;
    yield { number, inputs: batch };
  }
}
