/**
 * Which `Authorization` a registry gets. Tokens are kept here, in one place for all threads, each under the origin that
 * it is for, the login that it was given for, and the repository; so that neither leaks into another's requests.
 */
import type { Clock } from "../../support/clock.ts";
import { type ErrorCode, isPulleyError, PulleyError } from "../../support/errors.ts";
import type { Login } from "../../support/login.ts";
import type { PlaceKind } from "../addresses.ts";
import type { Endpoint } from "../endpoint.ts";
import { parseChallenges } from "./challenge.ts";
import { basicHeader, bearerHeader, type TokenService } from "./token.ts";

/** One login's authorization for one repository. */
export interface Authorization {
  /** Tells logins apart without telling anything of them; absent: anonymous. */
  readonly account?: string | undefined;
  /** What to send without having been asked, because it is held from before. */
  current(): Promise<string | undefined>;
  /**
   * What to send after a 401; `undefined` if nothing more can be offered.
   * @throws PulleyError `TOKEN_REFUSED`, or any failure of the token service
   */
  answer(refusal: LoginDemand): Promise<Granted | undefined>;
}

export interface LoginDemand {
  /** The origin that answered 401: the registry's, or that of a place it redirected to, which gets no login of ours. */
  readonly origin: string;
  /** The values of `WWW-Authenticate`. */
  readonly challenges: readonly string[];
  /** The authorization that was sent, if any. */
  readonly refused: string | undefined;
  /** Whether that had been obtained just before. */
  readonly refusedFresh: boolean;
  /** What kind of place demands a login, and so names a token service. */
  readonly place: PlaceKind;
}

export interface Granted {
  readonly header: string;
  /** Obtained just now: if this is refused as well, another one will be too. */
  readonly fresh: boolean;
  /** Whether there is no other way to answer. */
  readonly isLast: boolean;
  /**
   * Why no token could be obtained: the failure to report if this header is refused. Plain data, because it is sent to
   * threads.
   */
  readonly instead?: { readonly code: ErrorCode; readonly message: string; readonly advice: string } | undefined;
}

export interface Authorizer {
  authorization(endpoint: Endpoint, login: Login | undefined): Authorization;
}

interface Held {
  readonly header: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Tokens that are kept; the oldest goes first. */
const mostHeld = 1_000;

export function createAuthorizer(tokens: TokenService, clock: Clock): Authorizer {
  const held = new Map<string, Held>();
  const underWay = new Map<string, Promise<Granted | undefined>>();

  function keep(key: string, entry: Held, isLast: boolean): Granted {
    held.delete(key);
    held.set(key, entry);
    const [oldest] = held.keys();
    if (held.size > mostHeld && oldest !== undefined) held.delete(oldest);
    return { header: entry.header, fresh: true, isLast };
  }

  function valid(key: string): string | undefined {
    const entry = held.get(key);
    return entry !== undefined && clock.now() < entry.expiresAt ? entry.header : undefined;
  }

  async function obtain(key: string, endpoint: Endpoint, login: Login | undefined, refusal: LoginDemand) {
    const offered = parseChallenges(refusal.challenges);
    const secret = login?.reveal();
    if (secret?.kind === "registryToken") return undefined;
    const bearer = offered.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm"));
    const isBasic = offered.some(({ scheme }) => scheme === "basic") && secret?.kind === "password";
    const basic = isBasic ? basicHeader(secret.username, secret.password) : undefined;
    let instead: Granted["instead"];
    if (bearer !== undefined && !(refusal.refusedFresh && basic !== undefined)) {
      try {
        const token = await tokens.fetch({
          endpoint,
          challenge: bearer,
          secret,
          place: refusal.place,
          account: login?.fingerprint(),
        });
        return keep(key, token, basic === undefined);
      } catch (error) {
        // A service that would expose the login is refused, and the login itself is not sent instead.
        if (basic === undefined || !isPulleyError(error)) throw error;
        if (isPulleyError(error, "TOKEN_REFUSED", "REDIRECT_REFUSED", "CANCELLED")) throw error;
        const { code, message, advice } = error;
        instead = { code, message, advice };
      }
    }
    if (basic === undefined) return undefined;
    return { ...keep(key, { header: basic, expiresAt: Number.POSITIVE_INFINITY }, true), instead };
  }

  /** Everybody who was refused the same waits for the same new token. */
  function obtainOnce(key: string, ...rest: [Endpoint, Login | undefined, LoginDemand]) {
    const [, , { refusedFresh }] = rest;
    const what = `${key} ${refusedFresh}`;
    const running = underWay.get(what);
    if (running !== undefined) return running;
    const started = obtain(key, ...rest).finally(() => underWay.delete(what));
    underWay.set(what, started);
    return started;
  }

  return {
    authorization: (endpoint, login) => {
      const keyFor = (origin: string, who: Login | undefined) => [origin, endpoint.path, who?.fingerprint()].join(" ");
      const ownKey = keyFor(endpoint.origin, login);
      return {
        account: login?.fingerprint(),
        current: async () => {
          const secret = login?.reveal();
          if (login === undefined || secret?.kind !== "registryToken") return valid(ownKey);
          return registryTokenHeader(login.source, secret.token);
        },
        answer: async (refusal) => {
          const { origin, refused } = refusal;
          const own = origin === endpoint.origin;
          const who = own ? login : undefined;
          const key = own ? ownKey : keyFor(origin, undefined);
          const other = valid(key);
          if (other !== undefined && other !== refused) return { header: other, fresh: false, isLast: false };
          held.delete(key);
          return obtainOnce(key, own ? endpoint : { ...endpoint, origin }, who, refusal);
        },
      };
    },
  };
}

/** A token from a file may have a line break at its end. @throws PulleyError `CREDENTIALS_INVALID` */
function registryTokenHeader(source: string, token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return bearerHeader(token);
  throw new PulleyError("CREDENTIALS_INVALID", `${source}: the registry token has characters that no token has`);
}
