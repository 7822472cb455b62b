/** Failures as responses: a status, and a code of the specification's list (distribution-spec 1.1, "Error Codes"). */
import { type ErrorCode, errorText, isPulleyError, type PulleyError } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import { type Headers, jsonResponse, type MirrorResponse } from "./response.ts";
import type { Route } from "./route.ts";

/** The specification's codes that a registry for reading needs; the last two are distribution's own, for failures of a server. */
export type FailureCode =
  | ("NAME_INVALID" | "DIGEST_INVALID" | "MANIFEST_INVALID" | "UNAUTHORIZED" | "DENIED" | "UNSUPPORTED")
  | ("NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN" | "TOOMANYREQUESTS" | "UNAVAILABLE" | "UNKNOWN");

/**
 * Logs what is wrong on this side, with details that clients do not get: unexpected errors, and failures
 * of the store. What a registry answers is passed on to the client.
 */
export function logFailure(log: Log, error: unknown, route: Route): void {
  if (isPulleyError(error) && meaningOf(error.code, route, true)[0] !== 500) return;
  const cause = error instanceof Error && error.cause !== undefined ? errorText(error.cause) : undefined;
  const code = isPulleyError(error) ? error.code : undefined;
  // The stack matters only for unexpected errors.
  const at = error instanceof Error && code === undefined ? error.stack?.split("\n")[1]?.trim() : undefined;
  log.error("an answer failed on this machine", { route: route.kind, error: errorText(error), code, cause, at });
}

/** The challenge for clients that may need a login. */
export const challenge = 'Basic realm="the registry that the image comes from", charset="UTF-8"';

export function errorResponse(
  status: number,
  code: FailureCode,
  message: string,
  headers: Headers = {},
): MirrorResponse {
  return jsonResponse(status, { errors: [{ code, message }] }, headers);
}

/**
 * What a failure is to a client that asked for something.
 * @param known whether the client may know that there is such a repository
 */
export function responseToFailure(error: unknown, route: Route, known: boolean): MirrorResponse {
  if (!isPulleyError(error)) return errorResponse(500, "UNKNOWN", "the mirror failed");
  const [status, code] = meaningOf(error.code, route, known);
  if (status === 401) return errorResponse(status, code, error.message, { "www-authenticate": challenge });
  // Details of this machine's store, such as paths and disk sizes, are not sent to clients.
  const message = status === 500 ? "the mirror's store failed" : textOf(error);
  return errorResponse(status, code, message, retryHeaders(error));
}

function meaningOf(code: ErrorCode, route: Route, known: boolean): readonly [status: number, code: FailureCode] {
  switch (code) {
    case "REFERENCE_INVALID":
      return [400, "NAME_INVALID"];
    case "DIGEST_INVALID":
      return [400, "DIGEST_INVALID"];
    case "REGISTRY_NOT_FOUND":
    case "IMAGE_NOT_FOUND":
    case "CONTENT_MISSING":
      return [404, known ? missing(route) : "NAME_UNKNOWN"];
    case "REGISTRY_UNAUTHORIZED":
    case "CREDENTIALS_INVALID":
      return [401, "UNAUTHORIZED"];
    case "REGISTRY_FORBIDDEN":
    case "IMAGE_REFUSED":
      return [403, "DENIED"];
    case "REGISTRY_RATE_LIMITED":
    case "PULL_QPS_EXCEEDED":
      return [429, "TOOMANYREQUESTS"];
    case "REGISTRY_UNREACHABLE":
    case "REGISTRY_UNAVAILABLE":
    case "REGISTRY_STALLED":
    case "CANCELLED":
      return [503, "UNAVAILABLE"];
    case "MANIFEST_INVALID":
    case "MANIFEST_UNSUPPORTED":
      return [502, "MANIFEST_INVALID"];
    case "DIGEST_MISMATCH":
    case "SIZE_MISMATCH":
    case "TOO_LARGE":
    case "REGISTRY_PROTOCOL":
    case "REGISTRY_TLS":
    case "REDIRECT_REFUSED":
    case "TOKEN_REFUSED":
    case "SOURCE_INVALID":
      return [502, "UNAVAILABLE"];
    default:
      return [500, "UNKNOWN"];
  }
}

function missing({ kind }: Route): FailureCode {
  switch (kind) {
    case "blob":
      return "BLOB_UNKNOWN";
    case "tags":
      return "NAME_UNKNOWN";
    default:
      return "MANIFEST_UNKNOWN";
  }
}

function textOf(error: PulleyError): string {
  return errorText(error).slice(0, 1000);
}

function retryHeaders({ retryAfter }: PulleyError): Headers {
  return retryAfter === undefined ? {} : { "retry-after": `${Math.ceil(retryAfter / 1000)}` };
}
