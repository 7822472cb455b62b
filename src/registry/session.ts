/** What a registry is asked, with its redirects followed and its demands for a login answered. */
import { PulleyError } from "../support/errors.ts";
import { kindOfAddress, kindOfHost, narrower, type PlaceKind } from "./addresses.ts";
import type { Authorization, Granted } from "./authorization.ts";
import { discard } from "./body.ts";
import { type Endpoint, repositoryUrl } from "./endpoint.ts";
import { cancellation, describeAsked } from "./failure.ts";
import { isRedirect, redirectTarget } from "./redirect.ts";
import type { Answer, Transport } from "./transport.ts";

export interface SessionRequest {
  readonly method: "GET" | "HEAD";
  /** Within the repository, `manifests/latest`; or an address at the registry's own origin. */
  readonly what: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** One login's dealings with one repository. */
export interface Session {
  readonly endpoint: Endpoint;
  /** The answer that is not a redirect; a 401 only if there is no way, or no further way, to answer it. */
  send(request: SessionRequest): Promise<Answer>;
}

const mostRedirects = 10;
/** How often one origin's 401 is answered: with a token that is held already, with a new one, and with the login itself. */
const mostAnswers = 3;

/** Headers of every request. */
export const always = { "user-agent": "pulley", "accept-encoding": "identity" } as const;

export function openSession(endpoint: Endpoint, authorization: Authorization, transport: Transport): Session {
  const home = new URL(endpoint.origin);
  function passedOn({ origin }: URL): Record<string, string> {
    const { via } = endpoint;
    return via === undefined || origin !== home.origin ? {} : { via: `1.1 ${via}` };
  }

  async function send({ method, what, headers, signal }: SessionRequest): Promise<Answer> {
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
          // To the host itself only: wherever it sends us, nobody else is to see them.
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
        signal,
      });
      if (isRedirect(answer)) {
        await discard(answer);
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

  return { endpoint, send };
}

/** Where an answer really came from; what its name may mean by now does not count. */
async function placeOf({ peer = "", asked }: Answer): Promise<PlaceKind> {
  return kindOfAddress(peer) ?? (await kindOfHost(asked.url));
}

/** @throws PulleyError `REGISTRY_PROTOCOL` for an encoding that was not asked for: the bytes would not be the digest's */
function plain(answer: Answer): Answer {
  const encoding = (answer.headers["content-encoding"] ?? []).join(", ").trim();
  if (encoding === "" || encoding.toLowerCase() === "identity" || answer.status >= 400) return answer;
  answer.body.destroy();
  const text = `${describeAsked(answer.asked)}: the content is encoded, though it was asked for as it is`;
  throw new PulleyError("REGISTRY_PROTOCOL", text);
}

/** A token service that fails says more than the registry, which has only been offered the second best. */
function refused(answer: Answer, instead: Granted["instead"]): Answer {
  if (instead === undefined) return answer;
  answer.body.destroy();
  throw new PulleyError(instead.code, instead.message, { advice: instead.advice });
}

function tooManyRedirects({ asked }: Answer): PulleyError {
  return new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: redirected more than ${mostRedirects} times`);
}

/** A wait that others share goes on without a caller who has given up. */
async function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return shared;
  if (signal.aborted) {
    shared.catch(() => undefined);
    throw cancellation(signal);
  }
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([shared, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
