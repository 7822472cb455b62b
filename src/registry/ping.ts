import type { Clock } from "../support/clock.ts";
import { isPulleyError } from "../support/errors.ts";
import { discard } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { isPlainAnswer, statusFailure } from "./failure.ts";
import { always } from "./session.ts";
import type { Transport } from "./transport.ts";

/**
 * Asks whether anybody is there, by the address that every registry answers (distribution-spec "end-1"). A demand for a
 * login is an answer; one that says that the server is failing is not.
 * @throws PulleyError `REGISTRY_UNAVAILABLE`, `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`, `REGISTRY_PROTOCOL`, `CANCELLED`
 */
export async function ping(
  { origin, registry, root = "/v2", host }: Endpoint,
  transport: Transport,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const url = new URL(`${root}/`, origin);
  const answer = await transport.exchange({
    method: "GET",
    url,
    headers: { ...host?.headers, ...always },
    registry,
    host,
    audience: "registry",
    signal,
  });
  await discard(answer);
  if (answer.status >= 500) throw statusFailure(answer, Buffer.alloc(0), now);
}

/** Whether hosts speak TLS of which the configuration says both: reached by http, and with certificates. */
export interface Schemes {
  /** The endpoint with the scheme that its host speaks; where only one can be meant, that is as it was. */
  settle(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Endpoint>;
}

interface Settled {
  readonly origin: string;
  readonly at: number;
}

/** Milliseconds for which a host is taken to go on speaking what it spoke. */
const goodFor = 60_000;

/**
 * https is tried first; what answers it without TLS is spoken to by http (containerd core/remotes/docker,
 * `httpFallback`).
 */
export function createSchemes(transport: Transport, clock: Pick<Clock, "now">): Schemes {
  const settled = new Map<string, Settled>();

  /** `undefined` if nobody has answered. */
  async function find(endpoint: Endpoint, secure: string, signal: AbortSignal | undefined) {
    try {
      await ping({ ...endpoint, origin: secure }, transport, clock.now(), signal);
      return secure;
    } catch (error) {
      if (isPulleyError(error, "REGISTRY_TLS") && isPlainAnswer(error.message)) return endpoint.origin;
      return undefined;
    }
  }

  return {
    settle: async (endpoint, signal) => {
      const { httpsFirst, ...rest } = endpoint;
      if (httpsFirst !== true) return endpoint;
      const known = settled.get(endpoint.origin);
      if (known !== undefined && clock.now() - known.at < goodFor) return { ...rest, origin: known.origin };
      const secure = `https:${endpoint.origin.slice("http:".length)}`;
      const origin = await find(endpoint, secure, signal);
      if (origin === undefined) return { ...rest, origin: secure };
      settled.set(endpoint.origin, { origin, at: clock.now() });
      return { ...rest, origin };
    },
  };
}
