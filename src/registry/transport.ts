/** One request and its answer over HTTP/1.1: no redirects, no logins, no retries. Every wait has an end. */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { HostSettings } from "../hosts/index.ts";
import { PulleyError } from "../support/errors.ts";
import { lookupFor, type PlaceKind, refuseLiteral, refuseNearby } from "./addresses.ts";
import { createTrust, stampOf, type Trust } from "./certificates.ts";
import type { PausedClock } from "./deadlines.ts";
import { cancellation, describeAsked, networkFailure, type ResponseHead, type SentRequest } from "./failure.ts";
import type { RequestAttempts } from "./outages.ts";
import { proxyFor } from "./proxy.ts";
import { readDirectly } from "./transfer/direct-reads.ts";

export interface Exchange extends SentRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Path and query as they are sent; default: those of the address. */
  readonly path?: string | undefined;
  /** The registry on whose behalf, `docker.io`: its certificates hold. */
  readonly registry: string;
  /** What is set up for the registry's host; what it says of headers is for those to see to who ask. */
  readonly host?: HostSettings | undefined;
  /** Whether the address is the registry's own, or one that the registry sent us to. */
  readonly audience: "registry" | "other";
  /** What kind of place redirected here, which may not redirect everywhere; absent: it is no redirect. */
  readonly sentBy?: PlaceKind | undefined;
  /** Whose login it is sent with, if any: what registries count by. Never the login itself. */
  readonly account?: string | undefined;
  /** Whether it fails at once where the origin wants to be left alone: there is somebody else to ask. */
  readonly noWait?: boolean | undefined;
  /** The deadline that does not count the time in which it waits for its turn. */
  readonly deadline?: PausedClock | undefined;
  /** The attempts of the request that it is part of; absent: there is only this one. */
  readonly attempts?: RequestAttempts | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse extends ResponseHead {
  /** Must be read to its end, discarded or destroyed. */
  readonly body: IncomingMessage;
  /** The address of who answered; absent where a proxy stands between. */
  readonly peer?: string | undefined;
}

export interface Transport {
  /** @throws PulleyError `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`, `REGISTRY_PROTOCOL`, `REDIRECT_REFUSED`, `CANCELLED` */
  exchange(exchange: Exchange): Promise<HttpResponse>;
  /** Ends every connection, those in use included. */
  close(): void;
}

/** Plain data: it is handed to worker threads. */
export interface TransportSettings {
  readonly certDirs: readonly string[];
  /** Milliseconds for name, connection and TLS together. */
  readonly connectTimeout: number;
  /** Milliseconds from the connection to the answer's head. */
  readonly answerTimeout: number;
  /** Hosts, `cdn.acme.io` or with a port, to which every registry may send us. Default: none. */
  readonly allowedRedirects?: readonly string[];
}

/** Bytes of an answer's head. */
const longestHead = 64 * 1024;
/** Idle connections to one place that stay open. */
const spareConnections = 8;

/** Milliseconds: more than a timer can wait for would be none. */
const longestTimer = 2 ** 31 - 1;

/** How one place is spoken to: shared by the exchanges that would open a connection in just the same way. */
interface ConnectionPool {
  readonly agent: http.Agent;
  readonly proxied: boolean;
  readonly options: RequestOptions & { readonly secureContext?: SecureContext; readonly rejectUnauthorized?: boolean };
}

export function createTransport(settings: TransportSettings, environment: NodeJS.ProcessEnv): Transport {
  const connections = new Map<string, Promise<ConnectionPool>>();
  let trust: Trust | undefined;

  function isAllowed({ host, hostname }: URL): boolean {
    return settings.allowedRedirects?.some((allowed) => allowed === host || allowed === hostname) ?? false;
  }

  function connectionsTo(exchange: Exchange): Promise<ConnectionPool> {
    const { url, registry, audience, sentBy, host } = exchange;
    const key = [url.origin, registry, audience, sentBy, host && stampOf(host)].join(" ");
    const known = connections.get(key);
    if (known !== undefined) return known;
    const pool = openConnections(exchange);
    connections.set(key, pool);
    pool.catch(() => connections.delete(key));
    return pool;
  }

  async function openConnections({ url, registry, audience, sentBy, host }: Exchange): Promise<ConnectionPool> {
    const agentOptions = { keepAlive: true, maxFreeSockets: spareConnections };
    const guard: { lookup?: LookupFunction } = sentBy === undefined ? {} : { lookup: lookupFor(sentBy) };
    if (url.protocol === "http:")
      return { agent: readDirectly(new http.Agent(agentOptions)), proxied: false, options: guard };
    trust ??= createTrust(settings.certDirs, environment);
    const options = {
      ...guard,
      secureContext: trust.contextFor(registry, audience, host),
      rejectUnauthorized: audience !== "registry" || host?.skipVerify !== true,
    };
    const proxy = proxyFor(url, environment);
    if (proxy === undefined) return { agent: readDirectly(new https.Agent(agentOptions)), proxied: false, options };
    const { HttpsProxyAgent } = await import("https-proxy-agent");
    return { agent: new HttpsProxyAgent(proxy, { ...agentOptions, ca: [...trust.common] }), proxied: true, options };
  }

  return {
    exchange: async (asked) => {
      const { url } = asked;
      const exchange = isAllowed(url) ? { ...asked, sentBy: undefined } : asked;
      const { sentBy } = exchange;
      if (sentBy !== undefined) refuseLiteral(sentBy, url);
      const pool = await connectionsTo(exchange);
      if (sentBy !== undefined && pool.proxied) await refuseNearby(sentBy, url);
      for (;;) {
        const attempt = await send(exchange, pool, settings);
        if (attempt !== "stale") return attempt;
      }
    },
    close: () => {
      for (const pool of connections.values()) pool.then(({ agent }) => agent.destroy()).catch(() => undefined);
      connections.clear();
    },
  };
}

/** @returns `stale` if the connection had been kept open from before and the server closed it at the same moment */
function send(exchange: Exchange, pool: ConnectionPool, settings: TransportSettings): Promise<HttpResponse | "stale"> {
  const { method, url, path, headers, body, signal } = exchange;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancellation(signal));
      return;
    }
    const request = (url.protocol === "https:" ? https : http).request(url, {
      ...pool.options,
      agent: pool.agent,
      method,
      headers,
      ...(path !== undefined && { path }),
      maxHeaderSize: longestHead,
    });
    const stopWaiting = limitWaiting(request, exchange, settings);
    const cancel = () => request.destroy(signal && cancellation(signal));
    const settle = () => {
      stopWaiting();
      signal?.removeEventListener("abort", cancel);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    request.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      const stale = request.reusedSocket && method !== "POST" && error.code === "ECONNRESET" && !signal?.aborted;
      if (stale) resolve("stale");
      else reject(networkFailure(error, exchange));
    });
    request.on("response", (response) => {
      settle();
      // A reset after the answer has been read must not end the process.
      response.on("error", () => undefined);
      if (url.protocol === "https:" && !(response.socket instanceof TLSSocket)) {
        // The proxy's own answer: taking it for the registry's would let it ask for the registry's login.
        response.destroy();
        const text = `${describeAsked(exchange)}: the proxy answers ${response.statusCode} instead of connecting`;
        reject(
          new PulleyError("REGISTRY_UNREACHABLE", text, {
            advice: "Check HTTPS_PROXY, NO_PROXY and the proxy's login.",
          }),
        );
        return;
      }
      const { statusCode: status = 0, headersDistinct } = response;
      const peer = pool.proxied ? undefined : response.socket.remoteAddress;
      resolve({ asked: { method, url, headers, body }, status, headers: headersDistinct, body: response, peer });
    });
    request.end(body);
  });
}

/** Ends the request when there is no connection, or then no answer, in time. */
function limitWaiting(request: ClientRequest, asked: Exchange, settings: TransportSettings): () => void {
  const { connectTimeout, answerTimeout } = settings;
  const dialTimeout = asked.host?.dialTimeout ?? connectTimeout;
  // In Go's words, for those are what people search for.
  const words = {
    connection: `dial tcp ${asked.url.host}: i/o timeout`,
    TLS: "net/http: TLS handshake timeout",
    answer: "net/http: timeout awaiting response headers",
  };
  const giveUp = (what: keyof typeof words, milliseconds: number) =>
    setTimeout(() => {
      const text = `${describeAsked(asked)}: ${words[what]}: no ${what} within ${milliseconds / 1000} s`;
      request.destroy(new PulleyError("REGISTRY_UNREACHABLE", text));
    }, milliseconds);
  let timer = giveUp("connection", Math.min(dialTimeout, longestTimer));
  let over = false;
  const dialled = () => {
    clearTimeout(timer);
    if (!over) timer = giveUp("TLS", connectTimeout);
  };
  const connected = () => {
    clearTimeout(timer);
    if (!over) timer = giveUp("answer", answerTimeout);
  };
  request.on("socket", (socket) => {
    // What is said of one host holds for dialling alone, as in containerd; TLS has its own time then.
    if (dialTimeout !== connectTimeout && socket instanceof TLSSocket) socket.once("connect", dialled);
    if (request.reusedSocket) connected();
    else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected);
  });
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
