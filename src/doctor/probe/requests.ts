/** Requests to a registry with one login, and what its response headers say. */
import { acceptedManifests, type Digest, isDigest, type Tag } from "../../image/index.ts";
import {
  type Authorization,
  type Endpoint,
  type HttpResponse,
  isHtml,
  openSession,
  parseChallenges,
  type ResponseHead,
  readErrorBody,
  statusFailure,
  type Transport,
} from "../../registry/index.ts";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { printable } from "../../support/format.ts";

/** The answer to `GET /v2/` without a login. */
export interface V2Ping {
  readonly status: number;
  /** Whether the headers say that it is a registry. */
  readonly isRegistry: boolean;
  /** Whether its answer is a web page. */
  readonly isPage: boolean;
  /** Kinds of login that it asks for: `bearer`, `basic`. */
  readonly schemes: readonly string[];
  /** Where tokens are to be had, `https://auth.docker.io/token`. */
  readonly tokenService: string | undefined;
  /** Milliseconds since the epoch. */
  readonly serverTime: number | undefined;
  /** Why it cannot be asked for images. */
  readonly failure: PulleyError | undefined;
}

/** What a pull is counted as, and how many are left, as Docker Hub says it. */
export interface Quota {
  /** `100;w=21600`: pulls in a window of seconds. */
  readonly limit: string | undefined;
  readonly remaining: string | undefined;
  /** What the pulls are counted for: an address, or an account's identifier. */
  readonly source: string | undefined;
  /** Seconds, or a date, to wait for. */
  readonly retryAfter: string | undefined;
}

export type ManifestAnswer = (
  | { readonly kind: "found"; readonly digest: Digest | undefined }
  | { readonly kind: "refused"; readonly error: PulleyError }
) & {
  readonly quota: Quota;
  /** Whether a login or a token was sent to the registry. */
  readonly authorized: boolean;
};

export const noQuota: Quota = { limit: undefined, remaining: undefined, source: undefined, retryAfter: undefined };

export async function readV2Ping(
  answer: HttpResponse,
  stallTimeout: number,
  now: number,
  signal: AbortSignal,
): Promise<V2Ping> {
  const body = await readErrorBody(answer, { stallTimeout, signal });
  const { status, headers } = answer;
  const challenges = parseChallenges(headers["www-authenticate"] ?? []);
  const realm = challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("realm");
  const date = Date.parse(headers.date?.[0] ?? "");
  const isPage = isHtml(answer);
  return {
    status,
    isPage,
    isRegistry: headers["docker-distribution-api-version"] !== undefined,
    schemes: [...new Set(challenges.map(({ scheme }) => printable(scheme, 30)))],
    tokenService: realm === undefined ? undefined : shownRealm(realm),
    serverTime: Number.isNaN(date) ? undefined : date,
    failure: status < 400 && !isPage ? undefined : pingFailure(answer, body, now),
  };
}

/** A demand for a login is no failure; neither is a 404 or 403, for some registries serve no more than what is asked for. */
function pingFailure(answer: ResponseHead, body: Buffer, now: number): PulleyError | undefined {
  const failure = statusFailure(answer, body, now);
  if (isHtml(answer) && answer.status !== 401) {
    return new PulleyError(
      "REGISTRY_PROTOCOL",
      failure.message.includes("web page") ? failure.message : `${failure.message}: a web page`,
    );
  }
  const asksFor = [401, 403, 404].includes(answer.status);
  return asksFor ? undefined : failure;
}

export interface ManifestQuestion {
  readonly endpoint: Endpoint;
  readonly authorization: Authorization;
  readonly transport: Transport;
  readonly version: Tag | Digest;
  readonly stallTimeout: number;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Resolves a tag or digest by a HEAD request; if it is refused, the error's text comes from a GET. Never throws. */
export async function askManifest(question: ManifestQuestion): Promise<ManifestAnswer> {
  const { endpoint, transport, version, stallTimeout, now, signal } = question;
  let authorized = false;
  const authorization = watched(question.authorization, () => {
    authorized = true;
  });
  const session = openSession(endpoint, authorization, transport);
  const request = { what: `manifests/${version}`, headers: { accept: acceptedManifests.join(", ") }, signal };
  try {
    const head = await session.send({ ...request, method: "HEAD" });
    head.body.resume();
    if (head.status === 200) return { kind: "found", digest: digestOf(head), quota: quotaOf(head), authorized };
    const answer = await session.send({ ...request, method: "GET" });
    const quota = quotaOf(answer);
    if (answer.status === 200) {
      answer.body.destroy();
      return { kind: "found", digest: digestOf(answer), quota, authorized };
    }
    const body = await readErrorBody(answer, { stallTimeout, signal });
    return { kind: "refused", error: statusFailure(answer, body, now), quota, authorized };
  } catch (error) {
    const known = isPulleyError(error) ? error : new PulleyError("INTERNAL", errorText(error), { cause: error });
    return { kind: "refused", error: known, quota: noQuota, authorized };
  }
}

/** Tells whether anything is shown. */
function watched(authorization: Authorization, onShown: () => void): Authorization {
  return {
    current: async () => {
      const held = await authorization.current();
      if (held !== undefined) onShown();
      return held;
    },
    answer: async (refusal) => {
      const granted = await authorization.answer(refusal);
      if (granted !== undefined) onShown();
      return granted;
    },
  };
}

function digestOf({ headers }: HttpResponse): Digest | undefined {
  const [digest = ""] = headers["docker-content-digest"] ?? [];
  return isDigest(digest) ? digest : undefined;
}

function quotaOf({ headers }: HttpResponse): Quota {
  const first = (name: string) => {
    const value = headers[name]?.[0];
    return value === undefined ? undefined : printable(value, 60);
  };
  return {
    limit: first("ratelimit-limit"),
    remaining: first("ratelimit-remaining"),
    source: first("docker-ratelimit-source"),
    retryAfter: first("retry-after"),
  };
}

function shownRealm(realm: string): string {
  if (!URL.canParse(realm)) return printable(realm, 100);
  const { origin, pathname } = new URL(realm);
  return printable(`${origin}${pathname}`, 200);
}
