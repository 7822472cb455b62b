/** One blob into its file, over as many connections as it takes. The same code runs in worker threads and without. */

import { type BlobFile, openBlobFile } from "../../support/blob-file.ts";
import type { Clock } from "../../support/clock.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { type Pace, type RetryPlan, retryDelay } from "../../support/retry.ts";
import { announcedLength, discard, readErrorBody, receive } from "../body.ts";
import { type RateWatch, watchRate } from "../deadlines.ts";
import { repositoryUrl } from "../endpoint.ts";
import { describeAsked, isHtml, statusFailure } from "../failure.ts";
import { retryDecision, retryPlan } from "../retries.ts";
import type { Session } from "../session.ts";
import type { HttpResponse } from "../transport.ts";
import type { BlobProgress, BlobTarget } from "../types.ts";

export interface DownloadOptions {
  readonly pace: Pace;
  readonly stallTimeout: number;
  /** Bytes a second, as in `RegistryOptions`. */
  readonly leastRate: number;
  /** The clock that the rate is measured with. */
  readonly timers: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BlobProgress) => void) | undefined;
  /** Called when all bytes have come and are right, before the wait for the disk. */
  readonly onReceived?: () => void;
}

/** For a transfer that broke off; `attempts` counts those in a row that brought next to nothing. */
const transferPlan: RetryPlan = { ...retryPlan, attempts: 5 };
/** Bytes that an attempt must bring to count as progress. */
const leastProgress = 16 * 1024;
/** However much progress: a registry that breaks off this often is not serving the blob. */
const mostAttempts = 1_000;
/** Milliseconds between two reports. */
const reportEvery = 100;

/** A blob on its way: what its attempts tell each other. */
interface Transfer {
  readonly session: Session;
  readonly target: BlobTarget;
  readonly options: DownloadOptions;
  readonly file: BlobFile;
  /** Of all attempts together. */
  readonly rate: RateWatch;
  /** Of the first answer: with it the registry can say whether it still has the same bytes. */
  etag: string | undefined;
  /** Whether parts can be asked for; not after an answer that was not the part asked for. */
  ranges: boolean;
  /** Bytes that were in the file at the beginning and still are. */
  resumed: number;
  /** Whether the bytes come from more than one answer. */
  pieced: boolean;
  reportedAt: number;
}

/**
 * Receives a blob into its file, verifies it, and has it on the disk when it returns. Goes on from what the file holds;
 * what turns out to be wrong is removed from it.
 * @throws PulleyError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `REGISTRY_STALLED`, any other registry code, `DISK_FULL`
 */
export async function downloadBlob(session: Session, target: BlobTarget, options: DownloadOptions): Promise<void> {
  const file = openBlobFile(target);
  const resumed = file.received;
  const pieced = resumed > 0;
  const { timers: clock, leastRate, signal } = options;
  const rate = watchRate({ clock, leastRate, what: describeBlob(session, target) });
  const either = signal === undefined ? rate.signal : AbortSignal.any([signal, rate.signal]);
  const transfer: Transfer = {
    session,
    target,
    options: { ...options, signal: either },
    file,
    rate,
    etag: undefined,
    ranges: true,
    resumed,
    pieced,
    reportedAt: 0,
  };
  try {
    await receiveAll(transfer);
    if (!verified(transfer)) {
      startOver(transfer);
      await receiveAll(transfer);
      file.verify();
    }
    rate.end();
    options.onReceived?.();
    await file.flush();
    report(transfer);
  } finally {
    rate.end();
    await file.close();
  }
}

/** @returns false if the bytes are wrong, but came in pieces that may just not belong together */
function verified({ file, pieced }: Transfer): boolean {
  try {
    file.verify();
    return true;
  } catch (error) {
    if (pieced && isPulleyError(error, "DIGEST_MISMATCH")) return false;
    throw error;
  }
}

function startOver(transfer: Transfer): void {
  transfer.file.empty();
  transfer.etag = undefined;
  transfer.resumed = 0;
  transfer.pieced = false;
}

async function receiveAll(transfer: Transfer): Promise<void> {
  const { file, options } = transfer;
  const { clock, random } = options.pace;
  const mostIdle = transfer.session.endpoint.noRetry ? 1 : transferPlan.attempts;
  const start = file.received;
  let best = start;
  let idle = 0;
  for (let attempt = 1; !file.complete; attempt += 1) {
    try {
      await receiveSome(transfer);
    } catch (error) {
      if (isPulleyError(error, "SIZE_MISMATCH")) file.empty();
      if (options.signal?.aborted) throw error;
      const progress = file.received - best;
      best = Math.max(best, file.received);
      idle = progress >= leastProgress ? 0 : idle + 1;
      if (!mayResume(error, best > start) || idle >= mostIdle || attempt >= mostAttempts) throw error;
      const decision = retryDecision(error);
      const asked = decision.again ? (decision.after ?? 0) : 0;
      if (idle > 0) await clock.sleep(Math.max(asked, retryDelay(transferPlan, idle, random)), options.signal);
    }
  }
}

/** Whether a transfer that broke off is worth another attempt; more failures are once some of it has come. */
function mayResume(error: unknown, begun: boolean): error is PulleyError {
  if (isPulleyError(error, "REGISTRY_STALLED")) return true;
  if (isPulleyError(error, "REGISTRY_UNREACHABLE") && begun) return true;
  return isPulleyError(error) && retryDecision(error).again;
}

/** One request at the registry's own address, never at the one it redirected to before: those hold for minutes only. */
async function receiveSome(transfer: Transfer): Promise<void> {
  const { session, target, options, file } = transfer;
  const { digest } = target.descriptor;
  if (file.received > 0 && !transfer.ranges) startOver(transfer);
  const offset = file.received;
  const headers = offset === 0 ? {} : rangeHeaders(offset, transfer.etag);
  const answer = await session.send({ method: "GET", what: `blobs/${digest}`, headers, signal: options.signal });
  if (offset > 0 && !(answer.status === 206 ? isRest(answer, offset, target) : answer.status !== 416)) {
    await discard(answer);
    transfer.ranges = false;
    return receiveSome(transfer);
  }
  if (answer.status !== 200 && (answer.status !== 206 || offset === 0)) {
    throw statusFailure(answer, await readErrorBody(answer, options), options.pace.clock.now());
  }
  if (answer.status === 200 && offset > 0) startOver(transfer);
  transfer.pieced ||= file.received > 0;
  transfer.etag ??= strongEtag(answer);
  refuseOtherLength(answer, target, file.received);
  await receive(answer, options, (piece) => {
    transfer.rate.received(piece.length);
    file.append(piece);
    const now = options.pace.clock.now();
    if (now - transfer.reportedAt >= reportEvery) report(transfer, now);
  });
  if (!file.complete) throw endedEarly(answer, target, file.received);
}

function describeBlob({ endpoint }: Session, { descriptor }: BlobTarget): string {
  return describeAsked({ method: "GET", url: repositoryUrl(endpoint, `blobs/${descriptor.digest}`) });
}

function rangeHeaders(offset: number, etag: string | undefined): Record<string, string> {
  return { range: `bytes=${offset}-`, ...(etag !== undefined && { "if-range": etag }) };
}

/** Whether a 206 is a part that begins where ours ends, of a blob of the announced size, and not several parts. */
function isRest({ headers }: HttpResponse, offset: number, { descriptor }: BlobTarget): boolean {
  const ranges = headers["content-range"] ?? [];
  const [, first, last, total] = /^bytes ([0-9]+)-([0-9]+)\/([0-9]+)$/i.exec(ranges[0] ?? "") ?? [];
  const several = /^multipart\//i.test(headers["content-type"]?.[0] ?? "");
  if (several || ranges.length !== 1 || first === undefined) return false;
  return (
    Number(first) === offset &&
    Number(last) >= offset &&
    Number(last) < descriptor.size &&
    Number(total) === descriptor.size
  );
}

function strongEtag({ headers }: HttpResponse): string | undefined {
  const [etag = ""] = headers["etag"] ?? [];
  return /^"[\x21\x23-\x7e]{1,256}"$/.test(etag) ? etag : undefined;
}

/**
 * @throws PulleyError `SIZE_MISMATCH` before a byte has been read, if the answer announces another length than the rest
 * of the blob
 */
function refuseOtherLength(answer: HttpResponse, { descriptor }: BlobTarget, offset: number): void {
  const announced = announcedLength(answer);
  const expected = descriptor.size - offset;
  if (Number.isNaN(announced) || announced === expected || (answer.status === 206 && announced < expected)) return;
  answer.body.destroy();
  const where = describeAsked(answer.asked);
  if (isHtml(answer)) throw new PulleyError("REGISTRY_PROTOCOL", `${where}: a web page instead of a blob`);
  throw new PulleyError("SIZE_MISMATCH", `${where}: expected ${expected} bytes, the server announces ${announced}`);
}

/** A chunked body says itself where it ends; where only the closed connection says it, the rest may have been lost. */
function endedEarly(answer: HttpResponse, { descriptor }: BlobTarget, received: number): PulleyError {
  const text = `${describeAsked(answer.asked)}: the content ends after ${received} of ${descriptor.size} bytes`;
  const isWhole = answer.status === 200 && answer.headers["transfer-encoding"] !== undefined;
  return new PulleyError(isWhole ? "SIZE_MISMATCH" : "REGISTRY_UNREACHABLE", text);
}

function report(transfer: Transfer, now = transfer.options.pace.clock.now()): void {
  const { target, file, resumed, options } = transfer;
  transfer.reportedAt = now;
  options.onProgress?.({ digest: target.descriptor.digest, received: file.received, resumed });
}
