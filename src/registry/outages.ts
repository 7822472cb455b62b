/** Who fails every attempt of a request is not asked for a while: nobody else has to find that out with attempts of his own. */
import type { Clock } from "../support/clock.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { describeAsked, type SentRequest } from "./failure.ts";
import { retryDecision, retryPlan } from "./retries.ts";

export interface OutagesOptions {
  readonly clock: Clock;
  /** Milliseconds; absent: nothing is remembered. */
  readonly rememberDownFor: number | undefined;
  /** As in `RegistryOptions`. */
  readonly longestWait: number;
  /** Called when somebody is given up: who waits to ask there need not wait any longer. */
  readonly onOutage: () => void;
}

/** What an origin is asked for: of images and tokens, which may have one origin, only one may fail. */
type Service = "images" | "tokens";
const allServices: readonly Service[] = ["images", "tokens"];

export interface Outages {
  /** @param subject the repository's path: what fails for one alone is not of the origin */
  attempts(service: Service, subject: string): RequestAttempts;
  /** The failure of a request to an origin that was given up; undefined: it may be asked. */
  refusal(asked: AttemptedRequest): PulleyError | undefined;
}

export interface AttemptedRequest extends SentRequest {
  readonly attempts?: RequestAttempts | undefined;
}

/** The attempts of one request. */
export interface RequestAttempts {
  readonly service: Service;
  /** Called with every exchange of an attempt; what becomes of the attempt is that of the last one. */
  sent(asked: SentRequest): void;
  passed(): void;
  failed(error: unknown): void;
  /** Whether there is no use in another one. */
  readonly isOver: boolean;
}

/** Failures of an origin, one after another, with nothing that has passed in between. */
interface Streak {
  /** What the first one was about. */
  readonly subject: string;
  readonly since: number;
  /** Whether another subject has failed, too. */
  isCommon: boolean;
  /** Whether one request has had all of its attempts. */
  isUsedUp: boolean;
  /** 429s, of those that were under way together only one. */
  refusals: number;
  refusedAt: number;
}

interface Outage {
  readonly at: number;
  readonly error: PulleyError;
  /** What was answered, without what was asked. */
  readonly reason: string;
}

interface Origin {
  hasPassed: boolean;
  streak: Streak | undefined;
  outage: Outage | undefined;
}

/** Origins that are remembered; the oldest goes first. */
const mostOrigins = 1_000;
/**
 * Milliseconds for which 429s in a row are borne where something has passed before: most quotas are for a minute. Where
 * nothing has, as many are as a request has attempts.
 */
const longestRefused = 60_000;

export function createOutages({ clock, rememberDownFor = 0, longestWait, onOutage }: OutagesOptions): Outages {
  const origins = new Map<string, Origin>();

  function originOf(service: Service, { url }: SentRequest): Origin {
    const key = `${service} ${url.origin}`;
    const known = origins.get(key);
    if (known !== undefined) return known;
    const [oldest] = origins.keys();
    if (origins.size >= mostOrigins && oldest !== undefined) origins.delete(oldest);
    const origin: Origin = { hasPassed: false, streak: undefined, outage: undefined };
    origins.set(key, origin);
    return origin;
  }

  function outageOf(origin: Origin): Outage | undefined {
    const { outage } = origin;
    if (outage !== undefined && clock.now() - outage.at >= rememberDownFor) {
      origin.outage = undefined;
      origin.streak = undefined;
    }
    return origin.outage;
  }

  /** Whether what a streak has seen is the origin's own state by now. */
  function isOutage({ hasPassed }: Origin, streak: Streak, error: PulleyError): boolean {
    if (error.code !== "REGISTRY_RATE_LIMITED") return streak.isUsedUp && streak.isCommon;
    const isLong = !hasPassed || clock.now() - streak.since >= longestRefused;
    return streak.isUsedUp || (streak.refusals >= retryPlan.attempts && isLong);
  }

  function attempts(service: Service, subject: string): RequestAttempts {
    let last: { readonly asked: SentRequest; readonly origin: Origin; readonly at: number } | undefined;
    /** What this request has failed in, and how often: something that passes ends it. */
    let own: Streak | undefined;
    let failures = 0;

    function count(streak: Streak, error: PulleyError, sentAt: number): void {
      failures = own === streak ? failures + 1 : 1;
      own = streak;
      streak.isUsedUp ||= failures >= retryPlan.attempts;
      streak.isCommon ||= streak.subject !== subject;
      if (error.code !== "REGISTRY_RATE_LIMITED") return;
      if (sentAt > streak.refusedAt) streak.refusals += 1;
      streak.refusedAt = clock.now();
    }

    function passed(): void {
      if (last === undefined) return;
      const { origin } = last;
      origin.hasPassed = true;
      origin.streak = undefined;
      origin.outage = undefined;
    }

    return {
      service,
      sent: (asked) => {
        last = { asked, origin: originOf(service, asked), at: clock.now() };
      },
      passed,
      failed: (error) => {
        if (last === undefined || !isPulleyError(error)) return;
        if (!retryDecision(error, longestWait).again) {
          if (isAnswer(error)) passed();
          return;
        }
        const { asked, origin, at } = last;
        origin.streak ??= newStreak(subject, clock.now());
        count(origin.streak, error, at);
        if (outageOf(origin) !== undefined || !isOutage(origin, origin.streak, error)) return;
        const outage = { at: clock.now(), error, reason: reasonOf(error, asked) };
        // Who counts requests counts them all.
        const services = isPulleyError(error, "REGISTRY_RATE_LIMITED") ? allServices : [service];
        for (const each of services) originOf(each, asked).outage = outage;
        onOutage();
      },
      get isOver() {
        return last !== undefined && outageOf(last.origin) !== undefined;
      },
    };
  }

  if (rememberDownFor <= 0) return noOutages;
  return {
    attempts,
    refusal: (asked) => {
      const outage = outageOf(originOf(asked.attempts?.service ?? "images", asked));
      return outage && failureFor(asked, outage, clock.now());
    },
  };
}

/** For those who let every request have its attempts. */
export const noOutages: Outages = {
  attempts: (service) => ({
    service,
    sent: () => undefined,
    passed: () => undefined,
    failed: () => undefined,
    isOver: false,
  }),
  refusal: () => undefined,
};

function newStreak(subject: string, since: number): Streak {
  return { subject, since, isCommon: false, isUsedUp: false, refusals: 0, refusedAt: Number.NEGATIVE_INFINITY };
}

/** Whether a failure is the word of one who is there, and not busy. */
function isAnswer(error: PulleyError): boolean {
  return !isPulleyError(
    error,
    "CANCELLED",
    "INTERNAL",
    "REGISTRY_RATE_LIMITED",
    "REGISTRY_STALLED",
    "REGISTRY_TLS",
    "REGISTRY_UNAVAILABLE",
    "REGISTRY_UNREACHABLE",
  );
}

/** What a failure says, without what was asked. */
export function reasonOf({ message }: PulleyError, asked: SentRequest): string {
  const beginning = `${describeAsked(asked)}: `;
  return message.startsWith(beginning) ? message.slice(beginning.length) : message;
}

/** Its cause is a failure of ours: so it is final, the attempts have been made. */
function failureFor(asked: SentRequest, { at, error, reason }: Outage, now: number): PulleyError {
  const ago = Math.floor((now - at) / 1000);
  const text = `not asked, for every attempt at ${asked.url.host} has failed: ${reason} (asked ${ago} s ago)`;
  const { code, advice } = error;
  return new PulleyError(code, `${describeAsked(asked)}: ${text}`, { advice, cause: error });
}
