/** Which origins answer at all. One that does not is found out about once, not by each of very many requests. */
import type { Clock } from "../support/clock.ts";
import { errnoOf, isPulleyError, PulleyError } from "../support/errors.ts";
import { unlessAborted } from "./deadlines.ts";
import { describeAsked, type SentRequest } from "./failure.ts";
import { reasonOf } from "./outages.ts";
import { isPassing } from "./retries.ts";
import type { Exchange } from "./transport.ts";

export interface ReachabilityOptions {
  readonly clock: Clock;
  /** How long others wait for the first is measured with it. */
  readonly timers: Clock;
  /** Milliseconds; absent: for {@link remembersFor}, and only what took {@link worthRemembering} to fail. */
  readonly rememberDownFor: number | undefined;
}

/**
 * Milliseconds for which pulls take an origin to be down that was: long enough for the next login, or the next image in
 * the queue, and less than any back-off.
 */
const remembersFor = 2_000;
/** Milliseconds: for pulls, what fails faster costs too little to risk that a registry which is back is not asked. */
const worthRemembering = 500;
/** Milliseconds that pulls wait for the first request's answer: what is slow for one may be quick for the others. */
const longestAlone = 1_000;
/** Milliseconds from which on a name server that gives no answer counts as down, too, and is not asked again at once. */
const slowLookup = 2_000;

interface Down {
  readonly at: number;
  readonly error: PulleyError;
  /** What went wrong, without what was asked. */
  readonly reason: string;
}

interface Origin {
  /** Whether it has answered anything since it was last down. */
  answers: boolean;
  down: Down | undefined;
  /** The request that finds out; ends with what it has found. */
  first: Promise<Down | undefined> | undefined;
}

/** A request that was let through. */
export interface Attempt {
  answered(): void;
  /** @param took milliseconds from when it was sent */
  failed(error: unknown, took: number): void;
  /** It was not sent after all. */
  abandoned(): void;
}

export interface Reachability {
  /**
   * Lets the first request to an origin go alone, until it has the head of an answer; the others wait for that.
   * @throws PulleyError what the first has failed with, if nobody answers
   */
  begin(exchange: Exchange): Promise<Attempt>;
  /** @throws PulleyError the failure of the origin, if it is remembered */
  refuseDown(exchange: Exchange): void;
}

/** Origins that are remembered; the oldest goes first. */
const mostOrigins = 1_000;

export function createReachability({ clock, timers, rememberDownFor }: ReachabilityOptions): Reachability {
  const origins = new Map<string, Origin>();
  const isForPulls = rememberDownFor === undefined;
  const keptFor = rememberDownFor ?? remembersFor;

  function originOf({ url }: SentRequest): Origin {
    const known = origins.get(url.origin);
    if (known !== undefined) return known;
    const [oldest] = origins.keys();
    if (origins.size >= mostOrigins && oldest !== undefined) origins.delete(oldest);
    const origin: Origin = { answers: false, down: undefined, first: undefined };
    origins.set(url.origin, origin);
    return origin;
  }

  function refuse({ down }: Origin, asked: SentRequest): void {
    if (down !== undefined && clock.now() - down.at < keptFor) throw failureFor(asked, down, clock.now());
  }

  function attempt(origin: Origin, asked: Exchange, tell: (down: Down | undefined) => void): Attempt {
    return {
      abandoned: () => tell(undefined),
      answered: () => {
        origin.answers = true;
        origin.down = undefined;
        tell(undefined);
      },
      failed: (error, took) => {
        if (!isSilence(error, took)) {
          // Who has given up has found out nothing.
          origin.answers ||= asked.signal?.aborted !== true;
          tell(undefined);
          return;
        }
        const down = { at: clock.now(), error, reason: reasonOf(error, asked) };
        origin.answers = false;
        if (!isForPulls || took >= worthRemembering) origin.down = down;
        tell(down);
      },
    };
  }

  /** From now on the others wait for this one. */
  function beginAlone(origin: Origin, asked: Exchange): Attempt {
    const { promise, resolve } = withResolvers<Down | undefined>();
    const over = new AbortController();
    const tell = (down: Down | undefined) => {
      if (origin.first === promise) origin.first = undefined;
      over.abort("told");
      resolve(down);
    };
    origin.first = promise;
    if (isForPulls) {
      const letOthersGo = () => {
        origin.answers = true;
        tell(undefined);
      };
      timers.sleep(longestAlone, over.signal).then(letOthersGo, () => undefined);
    }
    return attempt(origin, asked, tell);
  }

  return {
    begin: async (exchange) => {
      const origin = originOf(exchange);
      for (;;) {
        refuse(origin, exchange);
        if (origin.answers) return attempt(origin, exchange, () => undefined);
        if (origin.first === undefined) return beginAlone(origin, exchange);
        const down = await unlessAborted(origin.first, exchange.signal);
        if (down !== undefined) throw failureFor(exchange, down, clock.now());
      }
    },
    refuseDown: (exchange) => refuse(originOf(exchange), exchange),
  };
}

/** Whether nobody was there: no name, no connection, or no answer in time. */
function isSilence(error: unknown, took: number): error is PulleyError {
  if (!isPulleyError(error, "REGISTRY_UNREACHABLE")) return false;
  return !isPassing(error.cause) || (took >= slowLookup && errnoOf(error.cause) === "EAI_AGAIN");
}

/** The failure as that of another request to the same origin. */
function failureFor(asked: SentRequest, { at, error, reason }: Down, now: number): PulleyError {
  const seconds = Math.floor((now - at) / 1000);
  const ago = seconds < 1 ? "" : ` (asked ${seconds} s ago)`;
  const { code, advice } = error;
  return new PulleyError(code, `${describeAsked(asked)}: ${reason}${ago}`, { advice, cause: error });
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
