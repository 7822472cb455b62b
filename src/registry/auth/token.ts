/**
 * Tokens from the token service that a registry's `Bearer` challenge names (distribution `spec/auth/token.md`,
 * `oauth.md`).
 */
import { isLoopback } from "../../image/index.ts";
import type { Clock } from "../../support/clock.ts";
import { PulleyError } from "../../support/errors.ts";
import type { LoginSecret } from "../../support/login.ts";
import { type Pace, type RetryDecision, retry } from "../../support/retry.ts";
import type { PlaceKind } from "../addresses.ts";
import { type ReceiveOptions, readBody, readErrorBody } from "../body.ts";
import { inTime, type PausedClock, pausable, pausing } from "../deadlines.ts";
import type { Endpoint } from "../endpoint.ts";
import { showUrl, statusFailure } from "../failure.ts";
import { tokenTimeout } from "../limits.ts";
import { noOutages, type Outages, type RequestAttempts } from "../outages.ts";
import { afterAttempts, planFor, retryDecision } from "../retries.ts";
import type { Exchange, HttpResponse, Transport } from "../transport.ts";
import type { Challenge } from "./challenge.ts";

export interface TokenRequest {
  readonly endpoint: Endpoint;
  readonly challenge: Challenge;
  /** Absent: an anonymous token. */
  readonly secret: LoginSecret | undefined;
  /** What kind of place the challenge came from. */
  readonly place: PlaceKind;
  /** As `Authorization` has it. */
  readonly account?: string | undefined;
}

export interface Token {
  /** The whole value of `Authorization`. */
  readonly header: string;
  /** Milliseconds since the epoch; some seconds early, so that it is not sent at the last moment. */
  readonly expiresAt: number;
}

export interface TokenService {
  /** @throws PulleyError `TOKEN_REFUSED` for a service that would expose the login, or as any request */
  fetch(request: TokenRequest): Promise<Token>;
}

export interface TokenServiceOptions {
  readonly transport: Transport;
  readonly pace: Pace;
  readonly stallTimeout: number;
  /** The clock of the deadline. */
  readonly timers: Clock;
  /** Whether the user asked for plain HTTP with a `host:port`. */
  readonly plainHttp: (host: string) => boolean;
  readonly outages?: Outages | undefined;
  /** Milliseconds that a service's own wait may be; and whether such waits do not count. */
  readonly waits?: { readonly longest: number; readonly uncounted: boolean };
}

interface TokenAttempt {
  readonly attempts: RequestAttempts;
  readonly deadline: PausedClock | undefined;
  readonly signal: AbortSignal;
}

const longestRealm = 4 * 1024;
const mostScopes = 16;
const largestAnswer = 64 * 1024;
/** Seconds: what a token is good for if the service does not say, and the least it is taken to be good for. */
const shortestLife = 60;
/** Seconds: the most that a token is kept, whatever its service says. */
const longestLife = 24 * 60 * 60;
/** Seconds that a token is given up before its end. */
const margin = 10;

export function createTokenService(options: TokenServiceOptions): TokenService {
  const { transport, pace, stallTimeout, timers, waits, outages = noOutages } = options;

  async function fetchOnce(request: TokenRequest, realm: URL, { attempts, deadline, signal }: TokenAttempt) {
    const { account, endpoint } = request;
    const patient = { account, noWait: endpoint.noRetry, deadline, attempts, signal };
    try {
      const answer = await transport.exchange({ ...tokenExchange(request, realm), ...patient });
      const receiving = { stallTimeout, timers, signal };
      if (answer.status !== 200) throw await refusal(answer, receiving);
      const token = parseToken(await readBody(answer, largestAnswer, receiving), realm, pace.clock);
      attempts.passed();
      return token;
    } catch (error) {
      attempts.failed(error);
      throw error;
    }
  }

  async function refusal(answer: HttpResponse, receiving: ReceiveOptions): Promise<PulleyError> {
    const { status, asked } = answer;
    if (status >= 300 && status < 400) {
      answer.body.destroy();
      return new PulleyError("TOKEN_REFUSED", `${showUrl(asked.url)}: the token service redirects, and may not`);
    }
    const failure = statusFailure(answer, await readErrorBody(answer, receiving), pace.clock.now());
    // A service that says 400 to a login that it does not like is common enough.
    return status === 400 ? new PulleyError("REGISTRY_UNAUTHORIZED", failure.message) : failure;
  }

  return {
    fetch: async (request) => {
      const realm = checkRealm(request, options.plainHttp);
      const uncounted = waits?.uncounted === true ? pausable(timers) : undefined;
      const deadline = { clock: uncounted ?? timers, milliseconds: tokenTimeout, what: showUrl(realm) };
      const attempts = outages.attempts("tokens", request.endpoint.path);
      const decide = (error: unknown): RetryDecision =>
        attempts.isOver ? { again: false } : retryDecision(error, waits?.longest);
      const patience = uncounted === undefined ? pace : { ...pace, clock: pausing(pace.clock, uncounted) };
      const plan = planFor(request.endpoint);
      return inTime(deadline, (signal) =>
        retry(
          plan,
          patience,
          decide,
          () => fetchOnce(request, realm, { attempts, deadline: uncounted, signal }),
          signal,
        ),
      ).catch((error: unknown) => {
        throw afterAttempts(error, waits?.longest);
      });
    },
  };
}

/**
 * The realm is the server's word for where the login is to be sent: it must not be sent in the clear (CVE-2019-10214).
 * @throws PulleyError `TOKEN_REFUSED`
 */
function checkRealm({ endpoint, challenge }: TokenRequest, plainHttp: (host: string) => boolean): URL {
  const realm = challenge.parameters.get("realm") ?? "";
  const refuse = (why: string) => new PulleyError("TOKEN_REFUSED", `${endpoint.origin} names a token service ${why}`);
  if (realm.length > longestRealm) throw refuse(`with an address of ${realm.length} characters`);
  if (!URL.canParse(realm)) throw refuse("whose address is not one");
  const url = new URL(realm);
  if (url.username !== "" || url.password !== "") throw refuse("with a login in its address");
  if (url.protocol === "https:") return url;
  if (url.protocol !== "http:") throw refuse(`that is asked by ${url.protocol}`);
  if (endpoint.origin.startsWith("https:")) throw refuse(`that is asked in the clear, ${showUrl(url)}`);
  const known = url.origin === endpoint.origin || isLoopback(url.host) || plainHttp(url.host);
  if (!known) throw refuse(`that is asked in the clear, ${showUrl(url)}`);
  return url;
}

/** GET, as the registries that know only that demand it; POST only for identity tokens, which GET cannot carry. */
function tokenExchange({ endpoint, challenge, secret, place }: TokenRequest, realm: URL): Exchange {
  const service = challenge.parameters.get("service");
  const scopes = scopesFor(endpoint, challenge);
  const url = new URL(realm);
  const isOwn = url.origin === endpoint.origin;
  const shared = {
    registry: endpoint.registry,
    host: endpoint.host,
    audience: isOwn ? "registry" : "other",
    sentBy: isOwn ? undefined : place,
  } as const;
  const { authorization: _, ...extra } = (isOwn && endpoint.host?.headers) || {};
  const headers = { ...extra, "user-agent": "pulley", accept: "application/json", "accept-encoding": "identity" };
  if (secret?.kind === "identityToken") {
    const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "pulley", refresh_token: secret.token });
    if (service !== undefined) form.set("service", service);
    if (scopes.length > 0) form.set("scope", scopes.join(" "));
    const type = "application/x-www-form-urlencoded";
    return { ...shared, method: "POST", url, headers: { ...headers, "content-type": type }, body: form.toString() };
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (secret?.kind !== "password") return { ...shared, method: "GET", url, headers };
  url.searchParams.set("account", secret.username);
  const authorization = basicHeader(secret.username, secret.password);
  return { ...shared, method: "GET", url, headers: { ...headers, authorization } };
}

/**
 * What the challenge asks for, or else what a pull needs; nothing where it is only about who is there. A service may
 * know the repository by another path than the one that is asked, and refuse a token for what it does not know.
 * @throws PulleyError `TOKEN_REFUSED`
 */
function scopesFor(endpoint: Endpoint, challenge: Challenge): readonly string[] {
  const asked = (challenge.parameters.get("scope") ?? "").split(/\s+/).filter((scope) => scope !== "");
  if (asked.length > mostScopes || !asked.every((scope) => /^[\x21-\x7e]{1,512}$/.test(scope))) {
    throw new PulleyError("TOKEN_REFUSED", `${endpoint.origin} asks for a token with a scope that makes no sense`);
  }
  if (asked.length > 0) return [...new Set(asked)].sort();
  return endpoint.path === "" ? [] : [`repository:${endpoint.path}:pull`];
}

function parseToken(body: Buffer, realm: URL, clock: Clock): Token {
  const document = parseAnswer(body);
  const token = document.get("token") || document.get("access_token");
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw new PulleyError("REGISTRY_PROTOCOL", `${showUrl(realm)}: the token service answers without a token`, {
      advice: "The registry's token service is broken, or is not one: tell who runs it.",
    });
  }
  const said = document.get("expires_in");
  const life = typeof said === "number" && said > shortestLife ? Math.min(said, longestLife) : shortestLife;
  return { header: bearerHeader(token), expiresAt: clock.now() + (life - margin) * 1000 };
}

/** The members of an answer; none if it is not a JSON object. */
function parseAnswer(body: Buffer): ReadonlyMap<string, unknown> {
  try {
    const document: unknown = JSON.parse(body.toString("utf8"));
    return new Map(typeof document === "object" && document !== null ? Object.entries(document) : []);
  } catch {
    return new Map();
  }
}

/** Values of the header `Authorization`, for registries and for their token services. */

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export function bearerHeader(token: string): string {
  return `Bearer ${token}`;
}
