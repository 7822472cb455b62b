import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { RetryDecision, RetryPlan } from "../support/retry.ts";
import type { Endpoint } from "./endpoint.ts";

/** For requests that are asked again as a whole. */
export const retryPlan: RetryPlan = { attempts: 4, first: 500, factor: 3, longest: 10_000, jitter: 0.3 };

/** The plan for an endpoint: one attempt only where there is another source to ask. */
export function planFor({ noRetry = false }: Pick<Endpoint, "noRetry">): RetryPlan {
  return noRetry ? { ...retryPlan, attempts: 1 } : retryPlan;
}

/** Milliseconds: a registry that asks for a longer wait has it made by the caller's back-off, not here. */
export const longestWaitAsked = 30_000;

/** Milliseconds that are waited longer than a 429 asks: its seconds may have been rounded down, and its clock be ahead. */
export const retryMargin = 1_000;

/**
 * Failures after which the same request may well succeed: the registry is busy, or a connection was lost.
 * @param longestWait milliseconds; what asks for more is final
 */
export function retryDecision(error: unknown, longestWait = longestWaitAsked): RetryDecision {
  if (!isPulleyError(error, "REGISTRY_RATE_LIMITED", "REGISTRY_UNAVAILABLE", "REGISTRY_UNREACHABLE")) {
    return { again: false };
  }
  if (hadItsAttempts(error)) return { again: false };
  if (error.code === "REGISTRY_UNREACHABLE" && !isPassing(error.cause)) return { again: false };
  const { code, retryAfter } = error;
  if (retryAfter === undefined) return { again: true };
  if (retryAfter > longestWait) return { again: false };
  return { again: true, after: code === "REGISTRY_RATE_LIMITED" ? retryAfter + retryMargin : retryAfter };
}

/** Whether a connection's failure is of the moment: a name that does not exist, say, will not in a second either. */
export function isPassing(cause: unknown): boolean {
  const code: unknown = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return code === "ECONNRESET" || code === "EPIPE" || code === "EAI_AGAIN" || code === "ERR_STREAM_PREMATURE_CLOSE";
}

/**
 * The failure of a request that was one step of another, as the other's. What was worth another attempt has had them all: it
 * gets no more in each attempt of the other one.
 */
export function afterAttempts(error: unknown, longestWait?: number): unknown {
  if (!isPulleyError(error) || !retryDecision(error, longestWait).again) return error;
  const { code, message, advice, retryAfter } = error;
  return new PulleyError(code, message, { advice, cause: error, ...(retryAfter !== undefined && { retryAfter }) });
}

/** Whether a failure is that of another request, which has been tried again: told once more, or as that of a step. */
export function hadItsAttempts({ cause }: PulleyError): boolean {
  return isPulleyError(cause);
}
