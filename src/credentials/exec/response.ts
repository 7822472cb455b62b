/**
 * What a credential provider answers (k8s staging/src/k8s.io/kubelet/pkg/apis/credentialprovider
 * `CredentialProviderResponse`).
 */
import { PulleyError } from "../../support/errors.ts";
import { parseGoDuration, quote } from "../../support/go.ts";
import type { JsonMembers } from "../../support/json.ts";
import { parseJson } from "../../support/json.ts";
import type { ProtocolVersion } from "./types.ts";

/** What an answer is good for, until it is too old: the image alone, its registry, or everything. */
export const cacheKeyTypes = ["Image", "Registry", "Global"] as const;

export type CacheKeyType = (typeof cacheKeyTypes)[number];

export interface ProviderResponse {
  /** As it is written. */
  readonly cacheKeyType: string;
  /** Milliseconds; absent where the answer does not say. */
  readonly cacheDuration: number | undefined;
  readonly auth: readonly ProviderLogin[];
}

export interface ProviderLogin {
  /** Where the login is for: a location as in a keyring. */
  readonly pattern: string;
  readonly username: string;
  readonly password: string;
}

/** Bytes of an answer. */
export const responseLimit = 1024 * 1024;
const mostLogins = 1000;

/** @throws PulleyError `CREDENTIAL_HELPER_FAILED`, with nothing of the answer but its `apiVersion` in the message */
export function decodeResponse(bytes: Uint8Array, expected: ProtocolVersion): ProviderResponse {
  const members = membersOf(bytes);
  const apiVersion = members.get("apiVersion") ?? "";
  if (apiVersion !== expected) {
    const actual = typeof apiVersion === "string" ? quote(apiVersion.slice(0, 100)).slice(1, -1) : "";
    throw failure(
      `apiVersion from credential plugin response did not match expected apiVersion:${expected}, actual apiVersion:${actual}`,
    );
  }
  if (members.get("kind") !== "CredentialProviderResponse") throw undecodable();
  const known = ["kind", "apiVersion", "cacheKeyType", "cacheDuration", "auth"];
  if (![...members.keys()].every((key) => known.includes(key))) throw undecodable();
  return {
    cacheKeyType: textOf(members, "cacheKeyType"),
    cacheDuration: durationOf(members),
    auth: loginsOf(members.get("auth") ?? null),
  };
}

function membersOf(bytes: Uint8Array): JsonMembers {
  let document: unknown;
  try {
    document = parseJson(bytes, { name: "answer", code: "CREDENTIAL_HELPER_FAILED", limit: responseLimit });
  } catch {
    // The parser's words may quote a key, and anything can be one.
    throw failure("error reading GVK from response: it is not well-formed JSON");
  }
  if (document instanceof Map) return document;
  throw failure("error reading GVK from response: it is no JSON object");
}

function loginsOf(auth: unknown): readonly ProviderLogin[] {
  if (auth === null) return [];
  if (!(auth instanceof Map) || auth.size > mostLogins) throw undecodable();
  return [...auth].map(([pattern, entry]: [unknown, unknown]) => {
    if (typeof pattern !== "string" || !(entry instanceof Map)) throw undecodable();
    const fields: JsonMembers = entry;
    if (![...fields.keys()].every((key) => key === "username" || key === "password")) throw undecodable();
    return { pattern, username: textOf(fields, "username"), password: textOf(fields, "password") };
  });
}

function textOf(members: JsonMembers, key: string): string {
  const value = members.get(key) ?? "";
  if (typeof value !== "string") throw undecodable();
  return value;
}

function durationOf(members: JsonMembers): number | undefined {
  const value = members.get("cacheDuration") ?? null;
  if (value === null) return undefined;
  const duration = typeof value === "string" ? parseGoDuration(value) : { problem: "" };
  if ("milliseconds" in duration) return duration.milliseconds;
  throw undecodable();
}

/** The kubelet says no more, for an answer has logins in it. */
function undecodable(): PulleyError {
  return failure("error decoding credential provider plugin response from stdout");
}

function failure(message: string): PulleyError {
  return new PulleyError("CREDENTIAL_HELPER_FAILED", message);
}
