/** Builds steps, and limits their time. */
import { errorText, isPulleyError } from "../support/errors.ts";
import type { DiagnosisStep, DoctorStepName } from "./types.ts";

export interface StepDetails {
  readonly hints?: readonly string[] | undefined;
  readonly source?: string | undefined;
}

export interface FailureDetails extends StepDetails {
  readonly remedy: string;
  readonly code?: DiagnosisStep["code"];
  readonly unanswered?: boolean;
}

export function ok(step: DoctorStepName, fact: string, { hints = [], source }: StepDetails = {}): DiagnosisStep {
  return { step, source: source ?? null, status: "ok", fact, hints };
}

export function skipped(step: DoctorStepName, fact: string, { hints = [], source }: StepDetails = {}): DiagnosisStep {
  return { step, source: source ?? null, status: "skipped", fact, hints };
}

export function failed(
  step: DoctorStepName,
  fact: string,
  { remedy, code, unanswered, hints = [], source }: FailureDetails,
): DiagnosisStep {
  return {
    step,
    source: source ?? null,
    status: "failed",
    fact,
    hints,
    remedy,
    code,
    ...(unanswered === true && { unanswered }),
  };
}

/** A failed step for an error. */
export function failedBy(
  step: DoctorStepName,
  error: unknown,
  details: StepDetails & { readonly remedy?: string } = {},
): DiagnosisStep {
  const known = isPulleyError(error) ? error : undefined;
  return failed(step, errorText(error), {
    ...details,
    remedy: details.remedy ?? known?.advice ?? "See what the system says about it.",
    code: known?.code,
    unanswered: isPulleyError(error, "REGISTRY_UNREACHABLE", "REGISTRY_UNAVAILABLE", "REGISTRY_STALLED"),
  });
}

/** A step did not end in its time. */
export class TooLate extends Error {
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds / 1000} s`);
    this.name = "TooLate";
    this.milliseconds = milliseconds;
  }
}

/**
 * Runs work with a time-out, whether it heeds its signal or not.
 * @throws TooLate, the signal's reason, or what the work throws
 */
export async function withTimeout<Result>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TooLate(milliseconds)), milliseconds);
  const either = AbortSignal.any([signal, late.signal]);
  const ended = new Promise<never>((_, reject) => {
    either.addEventListener("abort", () => reject(either.reason), { once: true });
  });
  ended.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([work(either), ended]);
  } catch (error) {
    signal.throwIfAborted();
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}
