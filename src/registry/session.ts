/** What a registry is asked, with its redirects followed and its demands for a login answered. */

import type { Clock } from "../support/clock.ts";
import { errorTable, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { type Pace, retry } from "../support/retry.ts";
import { kindOfAddress, kindOfHost, narrower, type PlaceKind } from "./addresses.ts";
import type { Authorization, Granted } from "./auth/authorization.ts";
import { discard, readErrorBody } from "./body.ts";
import { type PausedClock, unlessAborted } from "./deadlines.ts";
import { type Endpoint, repositoryUrl } from "./endpoint.ts";
import { describeAsked, named, type ResponseHead, showUrl, statusFailure } from "./failure.ts";
import type { Outages, RequestAttempts } from "./outages.ts";
import { afterAttempts, planFor, retryDecision } from "./retries.ts";
import type { HttpResponse, Transport } from "./transport.ts";

export interface SessionRequest {
  readonly method: "GET" | "HEAD";
  /** Within the repository, `manifests/latest`; or an address at the registry's own origin. */
  readonly what: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attempts?: RequestAttempts | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One login's dealings with one repository. */
export interface Session {
  readonly endpoint: Endpoint;
  /** Whether it has no login to show. */
  readonly isAnonymous: boolean;
  /** The answer that is not a redirect; a 401 only if there is no way, or no further way, to answer it. */
  send(request: SessionRequest): Promise<HttpResponse>;
}

const mostRedirects = 10;
/** How often one origin's 401 is answered: with a token that is held already, with a new one, and with the login itself. */
const mostAnswers = 3;

/** Headers of every request. */
export const always = { "user-agent": "pulley", "accept-encoding": "identity" } as const;

/** @param deadline counts no time in which a request waits for its turn */
export function openSession(
  endpoint: Endpoint,
  authorization: Authorization,
  transport: Transport,
  deadline?: PausedClock,
): Session {
  const home = new URL(endpoint.origin);
  function passedOn({ origin }: URL): Record<string, string> {
    const { via } = endpoint;
    return via === undefined || origin !== home.origin ? {} : { via: `1.1 ${via}` };
  }

  async function send({ method, what, headers, attempts, signal }: SessionRequest): Promise<HttpResponse> {
    /** By origin: what was obtained from or for one is never sent to another. */
    const authorizations = new Map<string, string>();
    const answered = new Map<string, number>();
    const held = await unlessAborted(authorization.current(), signal);
    if (held !== undefined) authorizations.set(home.origin, held);

    let url = typeof what === "string" ? repositoryUrl(endpoint, what) : what;
    let path: string | undefined;
    let sentBy: PlaceKind | undefined;
    const fresh = new Set<string>();
    const instead = new Map<string, Granted["instead"]>();
    for (let redirects = 0; ; ) {
      const sent = authorizations.get(url.origin);
      const answer = await transport.exchange({
        method,
        url,
        path,
        headers: {
          // To the host itself only: a place that it redirects to must not see them.
          ...(url.origin === home.origin && endpoint.host?.headers),
          ...always,
          ...headers,
          ...passedOn(url),
          ...(sent !== undefined && { authorization: sent }),
        },
        registry: endpoint.registry,
        host: endpoint.host,
        audience: url.origin === home.origin ? "registry" : "other",
        sentBy: url.origin === home.origin ? undefined : sentBy,
        account: url.origin === home.origin ? authorization.account : undefined,
        noWait: endpoint.noRetry,
        deadline,
        attempts,
        signal,
      });
      if (isRedirect(answer)) {
        await discard(answer);
        attempts?.passed();
        redirects += 1;
        if (redirects > mostRedirects) throw tooManyRedirects(answer);
        sentBy = narrower(sentBy, await placeOf(answer));
        ({ url, path } = redirectTarget(answer));
        continue;
      }
      const answers = answered.get(url.origin) ?? 0;
      if (answer.status !== 401) return plain(answer);
      if (answers >= mostAnswers) return refused(answer, instead.get(url.origin));
      const granted = await unlessAborted(
        authorization.answer({
          origin: url.origin,
          challenges: answer.headers["www-authenticate"] ?? [],
          refused: sent,
          refusedFresh: fresh.has(url.origin),
          place: narrower(sentBy, await placeOf(answer)),
        }),
        signal,
      ).catch((error: unknown) => {
        answer.body.destroy();
        throw error;
      });
      if (granted === undefined) return answer;
      await discard(answer);
      authorizations.set(url.origin, granted.header);
      if (granted.fresh) fresh.add(url.origin);
      instead.set(url.origin, granted.instead);
      answered.set(url.origin, granted.fresh && granted.isLast ? mostAnswers : answers + 1);
    }
  }

  const ownHeader = Object.keys(endpoint.host?.headers ?? {}).some((name) => name.toLowerCase() === "authorization");
  return { endpoint, isAnonymous: authorization.account === undefined && !ownHeader, send };
}

/** Where an answer really came from; what its name may mean by now does not count. */
async function placeOf({ peer = "", asked }: HttpResponse): Promise<PlaceKind> {
  return kindOfAddress(peer) ?? (await kindOfHost(asked.url));
}

/** @throws PulleyError `REGISTRY_PROTOCOL` for an encoding that was not asked for: the bytes would not be the digest's */
function plain(answer: HttpResponse): HttpResponse {
  const encoding = (answer.headers["content-encoding"] ?? []).join(", ").trim();
  if (encoding === "" || encoding.toLowerCase() === "identity" || answer.status >= 400) return answer;
  answer.body.destroy();
  const text = `${describeAsked(answer.asked)}: the content is encoded, though it was asked for as it is`;
  throw new PulleyError("REGISTRY_PROTOCOL", text);
}

/** A token service that fails says more than the registry, which has only been offered the second best. */
function refused(answer: HttpResponse, instead: Granted["instead"]): HttpResponse {
  if (instead === undefined) return answer;
  answer.body.destroy();
  throw afterAttempts(new PulleyError(instead.code, instead.message, { advice: instead.advice }));
}

function tooManyRedirects({ asked }: HttpResponse): PulleyError {
  return new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: redirected more than ${mostRedirects} times`);
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const longestAddress = 16 * 1024;

export function isRedirect({ status }: ResponseHead): boolean {
  return redirects.has(status);
}

/** Where a redirect leads, and what is asked for there. */
export interface Target {
  readonly url: URL;
  /** Path and query, byte for byte as they were given; absent where they have to be worked out. */
  readonly path: string | undefined;
}

/**
 * Where a redirect leads. Whether a login may go along is for the caller to decide, by comparing origins.
 * @throws PulleyError `REDIRECT_REFUSED` from https to anything else, and for addresses that no registry needs
 */
export function redirectTarget({ asked, headers }: ResponseHead): Target {
  const locations = headers["location"] ?? [];
  const [location = ""] = locations;
  const refuse = (why: string) => new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: redirected ${why}`);
  if (locations.length !== 1 || location === "") throw refuse("without saying where");
  if (location.length > longestAddress) throw refuse(`to an address of ${location.length} characters`);
  const text = asText(location);
  if (!URL.canParse(text, asked.url.href)) throw refuse(`to what is no address: ${printable(text, 60)}`);
  const target = new URL(text, asked.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw refuse(`to ${target.protocol}`);
  if (target.protocol === "http:" && asked.url.protocol === "https:") throw refuse(`to plain HTTP, ${showUrl(target)}`);
  if (target.username !== "" || target.password !== "") throw refuse(`to an address with a login, at ${target.host}`);
  return { url: target, path: pathAsGiven(location) };
}

/** A header's bytes come as Latin-1; addresses are written in UTF-8. */
function asText(location: string): string {
  const text = Buffer.from(location, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? location : text;
}

/**
 * An address may be signed as it was written, and URL writes some of it otherwise: `'` in a query, letters beyond ASCII.
 * One that has to be worked out (dots, backslashes, relative ones) goes as URL has it.
 */
function pathAsGiven(location: string): string | undefined {
  const [, given] = /^(?:https?:\/\/[^/?#\\]+|(?=\/[^/\\]))([/?][^#]*)/i.exec(location) ?? [];
  if (given === undefined || !/^[\x21-\x7e\x80-\xff]+$/.test(given)) return undefined;
  const [path = ""] = given.split("?", 1);
  if (/\\|\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return undefined;
  return given.startsWith("?") ? `/${given}` : given;
}

/** What every request of one call has in common. */
export interface CallContext {
  readonly session: Session;
  readonly pace: Pace;
  /** Milliseconds without a byte after which a body counts as stalled. */
  readonly stallTimeout: number;
  /** The clock of deadlines. */
  readonly timers: Clock;
  /** Milliseconds for the whole of a document. */
  readonly documentTimeout: number;
  /** Milliseconds that the registry's own wait may be. */
  readonly longestWait: number;
  readonly outages: Outages;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks, again where that may help, and reads the answer if its status is one that was expected.
 * @throws PulleyError any of the registry codes; and what `read` throws, which is tried again like any other failure
 */
export function sendWithRetry<T>(
  context: CallContext,
  request: SessionRequest,
  expected: (status: number, answer: HttpResponse) => boolean,
  read: (answer: HttpResponse) => Promise<T>,
): Promise<T> {
  const { session, pace, longestWait, outages, signal } = context;
  const attempts = outages.attempts("images", session.endpoint.path);
  return retry(
    planFor(session.endpoint),
    pace,
    (error) => (attempts.isOver ? { again: false } : retryDecision(error, longestWait)),
    async () => {
      try {
        const answer = await session.send({ ...request, attempts, signal });
        if (!expected(answer.status, answer)) throw await failureOf(answer, context);
        const value = await read(answer);
        // A 500 that is expected, for some servers fail at a HEAD, tells nothing yet.
        if (answer.status < 500) attempts.passed();
        return value;
      } catch (error) {
        attempts.failed(error);
        throw error;
      }
    },
    signal,
  ).catch((error: unknown) => {
    throw named(error, signal);
  });
}

export async function failureOf(answer: HttpResponse, context: CallContext) {
  const failure = statusFailure(answer, await readErrorBody(answer, context), context.pace.clock.now());
  const { code, message, advice } = failure;
  const isPlain = code === "REGISTRY_FORBIDDEN" && advice === errorTable[code].advice;
  if (!isPlain || !context.session.isAnonymous) return failure;
  return new PulleyError(code, message, { advice: errorTable.REGISTRY_UNAUTHORIZED.advice });
}
