import type { Clock } from "../support/clock.ts";
import { isPulleyError } from "../support/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { isPlainAnswer } from "./failure.ts";
import { ping } from "./ping.ts";
import type { Transport } from "./transport.ts";

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

/** https is tried first; what answers it without TLS is spoken to by http (containerd core/remotes/docker, `httpFallback`). */
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
