/** Calls of one cluster with its login, and which of them are tried again (k8s client-go rest/request.go). */
import type { Clock } from "../support/clock.ts";
import { atPlace, errnoOf, isPulleyError, PulleyError } from "../support/errors.ts";
import { type RetryDecision, type RetryPlan, retry } from "../support/retry.ts";
import type { ClusterContext } from "./contexts.ts";
import { type Call, type ClusterAnswer, type ClusterLimits, cancellation, exchange, shown } from "./exchange.ts";
import { type ClusterLogin, type Connection, openLogin } from "./login.ts";
import { PageMemory } from "./page-memory.ts";
import { type Reply, readReply } from "./replies.ts";

export interface SessionOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly limits: ClusterLimits;
}

/** For each document; 429 says itself how long. */
const plan: RetryPlan = { attempts: 6, first: 300, factor: 2.5, longest: 10_000, jitter: 0.3 };

/** Milliseconds: who asks for a longer wait is not waited for. */
const longestWait = 60_000;

export interface Repeats {
  /** Whether a call that the server may have acted on does no harm when it comes again. */
  readonly isRepeatable: boolean;
  /** Replies that are answers; the others throw. @throws PulleyError whose `retryAfter` says that it may be tried again */
  readonly check: (reply: Reply) => void;
}

/** The head of an answer, and the login with which it came. */
export interface Answer {
  readonly answer: ClusterAnswer;
  readonly connection: Connection;
}

export class ClusterSession {
  readonly name: string;
  readonly clock: Clock;
  readonly limits: ClusterLimits;
  readonly #server: string;
  readonly #options: SessionOptions;
  readonly #login: ClusterLogin;
  readonly #memory = new PageMemory();
  #hasAnswered = false;

  constructor(context: ClusterContext, options: SessionOptions) {
    this.name = context.name;
    this.clock = options.clock;
    this.limits = options.limits;
    this.#server = context.server.href.replace(/\/$/, "");
    this.#options = options;
    this.#login = openLogin(context, options.environment, options.clock);
  }

  url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`${this.#server}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  /** @throws PulleyError any of the `CLUSTER_` codes, `CREDENTIAL_HELPER_FAILED`, `TOO_LARGE`, `CANCELLED`, with the context */
  async reply(call: Call, { isRepeatable, check }: Repeats, signal: AbortSignal | undefined): Promise<Reply> {
    /** Of the last attempt. */
    let mayBeDone = false;
    const decide = (error: unknown): RetryDecision =>
      mayBeDone && !isRepeatable ? { again: false } : this.#retryDecision(error);
    const attempt = async () => {
      mayBeDone = false;
      const reply = await this.#once(call, signal, () => {
        mayBeDone = true;
      });
      // Of what it refuses, the server has done nothing; of what it fails at, nobody knows.
      mayBeDone = reply.status >= 500;
      check(reply);
      return reply;
    };
    try {
      return await retry(plan, { clock: this.clock, random: Math.random }, decide, attempt, signal);
    } catch (error) {
      const failure = this.failure(error, signal);
      if (!mayBeDone || isRepeatable || !isPulleyError(failure) || signal?.aborted) throw failure;
      throw new PulleyError(failure.code, failure.message, {
        cause: error,
        advice: "It may have been done all the same: look before it is tried again.",
      });
    }
  }

  /** One attempt, whose answer must be complete in time. */
  async #once(call: Call, outer: AbortSignal | undefined, onSent: () => void): Promise<Reply> {
    const { limits } = this;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate(call, limits)), limits.whole);
    const signal = outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]);
    try {
      return await this.read(await this.answer(call, signal, onSent), call, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The head of an answer, whose body the caller reads. A login that is refused may have ended: it is made anew once.
   * @throws PulleyError as {@link exchange} and the login
   */
  async answer(call: Call, signal: AbortSignal | undefined, onSent?: () => void): Promise<Answer> {
    const { userAgent, limits } = this.#options;
    const asked = { ...call, accept: "application/json", userAgent, limits, signal, onSent };
    const connection = await this.#login.connection();
    const answer = await exchange({ ...asked, connection });
    this.#hasAnswered = true;
    if (answer.status !== 401) return { answer, connection };
    answer.body.destroy();
    const renewed = await this.#login.connection(true);
    return { answer: await exchange({ ...asked, connection: renewed }), connection: renewed };
  }

  read({ answer, connection }: Answer, call: Call, signal: AbortSignal | undefined): Promise<Reply> {
    return readReply(answer, connection, {
      call,
      limits: this.limits,
      memory: this.#memory,
      signal,
      now: this.clock.now(),
    });
  }

  /** What is thrown to the caller: with the context, and after a cancellation nothing but that. */
  failure(error: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? cancellation(signal) : atPlace(`context "${this.name}"`, error);
  }

  close(): void {
    this.#login.close();
  }

  /** A server that has answered before and cannot be reached now is starting anew, as a rule. */
  #retryDecision(error: unknown): RetryDecision {
    if (isPulleyError(error, "CLUSTER_UNREACHABLE")) {
      const code = errnoOf(error.cause) ?? "";
      const again =
        this.#hasAnswered || ["ECONNRESET", "EPIPE", "EAI_AGAIN", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
      return again ? { again: true } : { again: false };
    }
    if (!isPulleyError(error, "CLUSTER_FAILED") || error.retryAfter === undefined) return { again: false };
    return error.retryAfter > longestWait ? { again: false } : { again: true, after: error.retryAfter };
  }
}

function tooLate(call: Call, { whole }: ClusterLimits): PulleyError {
  return new PulleyError("CLUSTER_UNREACHABLE", `${shown(call)}: the answer was not complete in ${whole / 1000} s`);
}
