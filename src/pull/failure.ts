/** What the failure of a pull means for what comes next. */
import { type ErrorCode, errorText, isPulleyError, PulleyError } from "../support/errors.ts";

/** Nobody was there to ask: every other failure is an answer, and one that counts. */
const unreachable: readonly ErrorCode[] = [
  "REGISTRY_UNREACHABLE",
  "REGISTRY_UNAVAILABLE",
  "REGISTRY_RATE_LIMITED",
  "REGISTRY_STALLED",
];

/** Failures of this machine: another source would not help. */
const local: readonly ErrorCode[] = [
  ...(["DISK_FULL", "STORE_FAILED", "STORE_INVALID", "CONTENT_MISSING"] as const),
  ...(["IMAGE_NOT_FOUND", "BLOB_DAMAGED", "PULL_QPS_EXCEEDED", "CANCELLED", "INTERNAL"] as const),
  // To hand an image over to containerd is our part: whoever gave the image has done his.
  ...(["RUNTIME_UNREACHABLE", "RUNTIME_FAILED"] as const),
];

/**
 * Whether a failure says no more than that nobody could be asked: names that do not resolve, connections that are refused
 * or never come about, 5xx and 429. Never a refusal, wrong bytes, or a certificate that does not verify.
 */
export function isUnreachable(error: unknown): error is PulleyError {
  return isPulleyError(error, ...unreachable);
}

/** The same of a failure of which only the code is left. */
export function isUnreachableCode(code: ErrorCode): boolean {
  return unreachable.includes(code);
}

/** Whether a source has answered, and its answer is no: there is nothing wrong with the source itself. */
export function isRefusal(error: unknown): boolean {
  return isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN", "REGISTRY_NOT_FOUND");
}

function isMissing(error: unknown): boolean {
  return isPulleyError(error, "REGISTRY_NOT_FOUND");
}

/** Whether it is a source's failure, after which the next one is tried. */
export function isOfSource(error: unknown): boolean {
  return isPulleyError(error) && !isPulleyError(error, ...local);
}

/** What one of several attempts came to. */
export interface Attempted {
  /** Who was asked; absent where there is only one who could have been. */
  readonly whom?: string;
  /** Whether that was a mirror, and not the registry in the image's name; absent where no source is meant. */
  readonly mirror?: boolean;
  readonly error: unknown;
}

/**
 * One failure out of several, as Go's aggregate writes them: each text once, in brackets if there are several. Its code
 * is that of the first (`tells: "first"`) or last of those that were an answer, so that it is only then one of those of
 * {@link isUnreachable} when all of them are. That a mirror does not have an image is no answer where the registry
 * itself cannot be reached: it may be what fills the mirror.
 */
export function aggregate(attempts: readonly Attempted[], tells: "first" | "last"): unknown {
  const texts = [...new Set(attempts.map(({ whom, error }) => [whom ?? [], errorText(error)].flat().join(": ")))];
  const errors = attempts.map(({ error }) => error);
  if (texts.length < 2 && attempts.every(({ whom }) => whom === undefined)) return errors[0];
  const isSilent = attempts.some(({ mirror, error }) => mirror === false && isUnreachable(error));
  const saying = attempts.filter(({ mirror, error }) => !(isSilent && mirror === true && isMissing(error)));
  const answers = saying.filter(({ error }) => !isUnreachable(error));
  const candidates = (answers.length > 0 ? answers : saying).map(({ error }) => error);
  const telling = candidates.filter((error) => isPulleyError(error)).at(tells === "first" ? 0 : -1);
  return new PulleyError(telling?.code ?? "INTERNAL", `[${texts.join(", ")}]`, {
    ...(telling && { advice: telling.advice }),
    cause: new AggregateError(errors),
  });
}
