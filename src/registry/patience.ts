/** The one way to every origin: requests wait here for their turn, so that no registry is asked more than it wants. */
import type { Clock } from "../support/clock.ts";
import { cancellation, parseRetryAfter } from "./failure.ts";
import { OriginGate } from "./origin-gate.ts";
import { createOutages, type Outages } from "./outages.ts";
import { createReachability } from "./reachability.ts";
import { RequestPace } from "./request-pace.ts";
import type { Exchange, HttpResponse, Transport } from "./transport.ts";
import type { OnWait, RegistryQuota } from "./types.ts";

export interface PatienceOptions {
  readonly clock: Clock;
  /** The clock of deadlines. */
  readonly timers: Clock;
  /** As in `RegistryOptions`, and below. */
  readonly longestWait: number;
  readonly pace: number | undefined;
  readonly onWait: OnWait | undefined;
  readonly rememberDownFor: number | undefined;
}

export interface Patience {
  /** The transport behind the gates. */
  readonly transport: Transport;
  readonly outages: Outages;
  /**
   * Waits while an origin wants to be left alone.
   * @throws PulleyError `REGISTRY_RATE_LIMITED`, `REGISTRY_UNREACHABLE` of one that was down just now, `CANCELLED`
   */
  whenOpen(exchange: Exchange): Promise<void>;
  /** By the host and port that were asked. */
  quotas(): ReadonlyMap<string, RegistryQuota>;
}

/** Origins that are remembered; of those that nobody is asking, the oldest goes first. */
const mostOrigins = 1_000;

export function createPatience(transport: Transport, options: PatienceOptions): Patience {
  const { clock, timers, longestWait, pace, onWait, rememberDownFor } = options;
  const reachability = createReachability({ clock, timers, rememberDownFor });
  const gates = new Map<string, OriginGate>();
  const quotas = new Map<string, RegistryQuota>();
  const outages = createOutages({
    clock,
    rememberDownFor,
    longestWait,
    onOutage: () => {
      for (const gate of gates.values()) gate.reconsider();
    },
  });

  /** @throws PulleyError the failure of the origin, if it is remembered */
  function refuse(exchange: Exchange): void {
    reachability.refuseDown(exchange);
    const failure = outages.refusal(exchange);
    if (failure !== undefined) throw failure;
  }

  function gateOf({ url, account = "" }: Exchange): OriginGate {
    // Registries count by login as well as by address; where a pace is kept, both have to stay below it together.
    const key = pace === undefined ? `${url.origin} ${account}` : url.origin;
    const known = gates.get(key);
    if (known !== undefined) return known;
    const gate = new OriginGate({
      clock,
      longestWait,
      pace: pace === undefined ? undefined : new RequestPace(pace),
      onWait: (milliseconds) => onWait?.(url.host, milliseconds, "429 Too Many Requests"),
    });
    forgetOldest(gates, ({ isIdle }) => isIdle);
    gates.set(key, gate);
    return gate;
  }

  async function exchangeAt(gate: OriginGate, exchange: Exchange): Promise<HttpResponse> {
    const { url, deadline } = exchange;
    const waiting = enter(gate, exchange);
    const { attempt, pass } = await (deadline === undefined ? waiting : deadline.pause(waiting));
    const sentAt = timers.now();
    try {
      const answer = await transport.exchange(exchange);
      attempt.answered();
      const { status, headers } = answer;
      const quota = quotaIn(headers, clock.now());
      if (quota !== undefined) {
        forgetOldest(quotas, () => true);
        quotas.delete(url.host);
        quotas.set(url.host, quota);
      }
      const retryAfter = status === 429 ? parseRetryAfter(headers["retry-after"]?.[0] ?? "", clock.now()) : undefined;
      gate.leave(pass, status === 429 ? { kind: "refused", retryAfter } : { kind: "answered" });
      return answer;
    } catch (error) {
      attempt.failed(error, timers.now() - sentAt);
      gate.leave(pass, { kind: "failed" });
      throw error;
    }
  }

  async function enter(gate: OriginGate, exchange: Exchange) {
    const { noWait = false, signal } = exchange;
    refuse(exchange);
    const attempt = await reachability.begin(exchange);
    try {
      const pass = await gate.enter({ asked: exchange, noWait, refusal: () => outages.refusal(exchange), signal });
      try {
        // It may have gone down while this one waited for its turn.
        refuse(exchange);
        exchange.attempts?.sent(exchange);
        return { attempt, pass };
      } catch (error) {
        gate.leave(pass, { kind: "failed" });
        throw error;
      }
    } catch (error) {
      attempt.abandoned();
      throw error;
    }
  }

  return {
    outages,
    transport: {
      exchange: (exchange) => exchangeAt(gateOf(exchange), exchange),
      close: () => {
        for (const gate of gates.values()) gate.end();
        transport.close();
      },
    },
    whenOpen: async (exchange) => {
      const { signal } = exchange;
      if (signal?.aborted) throw cancellation(signal);
      refuse(exchange);
      await gateOf(exchange).whenOpen({ asked: exchange, noWait: exchange.noWait ?? false, signal });
    },
    quotas: () => new Map(quotas),
  };
}

/** Makes room for one more. */
function forgetOldest<T>(known: Map<string, T>, mayGo: (value: T) => boolean): void {
  if (known.size < mostOrigins) return;
  for (const [key, value] of known) {
    if (!mayGo(value)) continue;
    known.delete(key);
    return;
  }
}

/** `100;w=21600`: so many in so many seconds. */
const quotaValue = /^\s*([0-9]{1,9})\s*(?:;\s*w=([0-9]{1,9})\s*)?$/;

function quotaIn(headers: NodeJS.Dict<string[]>, at: number): RegistryQuota | undefined {
  const [, limit, window] = quotaValue.exec(headers["ratelimit-limit"]?.[0] ?? "") ?? [];
  const [, remaining, ownWindow = window] = quotaValue.exec(headers["ratelimit-remaining"]?.[0] ?? "") ?? [];
  if (limit === undefined && remaining === undefined) return undefined;
  return {
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(remaining !== undefined && { remaining: Number(remaining) }),
    ...(ownWindow !== undefined && { window: Number(ownWindow) * 1000 }),
    at,
  };
}
