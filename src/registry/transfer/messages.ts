/** What a download thread and the thread that started it say to each other. */
import { type ErrorCode, errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import type { Granted, LoginDemand } from "../auth/authorization.ts";
import type { Endpoint } from "../endpoint.ts";
import { hadItsAttempts } from "../retries.ts";
import type { TransportSettings } from "../transport.ts";
import type { BlobProgress, BlobTarget } from "../types.ts";

/** What a thread is started with. Nothing secret: it can be seen from outside the thread. */
export interface ThreadSettings {
  readonly transport: TransportSettings;
  readonly stallTimeout: number;
  readonly leastRate: number;
}

export type ToThread =
  | { readonly kind: "start"; readonly job: number; readonly endpoint: Endpoint; readonly target: BlobTarget }
  | { readonly kind: "stop"; readonly job: number; readonly failure: ThreadFailure }
  | { readonly kind: "authorization"; readonly question: number; readonly result: JobResult<Granted | undefined> };

export type FromThread =
  /** A login is needed; tokens are kept in one place, and credentials leave it only in answers to this. */
  | {
      readonly kind: "authorize";
      readonly question: number;
      readonly job: number;
      readonly refusal: LoginDemand | undefined;
    }
  | { readonly kind: "progress"; readonly job: number; readonly progress: BlobProgress }
  /** Everything has come, and the disk is at work: the thread can begin with another blob. */
  | { readonly kind: "free"; readonly job: number }
  | { readonly kind: "ended"; readonly job: number; readonly result: JobResult<undefined> };

export type JobResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ThreadFailure };

/** A PulleyError without its class and cause, which do not survive the way between threads. */
export interface ThreadFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly advice: string;
  readonly retryAfter: number | undefined;
  /** As `retryDecision` has to know. */
  readonly hadItsAttempts: boolean;
}

export async function resultOf<T>(work: Promise<T>): Promise<JobResult<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

export function failureOf(error: unknown): ThreadFailure {
  const failure = isPulleyError(error) ? error : new PulleyError("INTERNAL", errorText(error));
  const { code, message, advice, retryAfter } = failure;
  return { code, message, advice, retryAfter, hadItsAttempts: hadItsAttempts(failure) };
}

export function toError(failure: ThreadFailure): PulleyError {
  const { code, message, advice, retryAfter } = failure;
  return new PulleyError(code, message, {
    advice,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(failure.hadItsAttempts && { cause: new PulleyError(code, message, { advice }) }),
  });
}
