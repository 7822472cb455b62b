/** The HTTP server of the mirror: address, limits, and shutdown. */

import { once } from "node:events";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../image/index.ts";
import { createSemaphore } from "../support/concurrency.ts";
import { limitConnectionsPerPeer } from "../support/connection-limits.ts";
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { networkWords } from "../support/network-words.ts";
import { createMirrorContext, type MirrorContext } from "./context.ts";
import { errorResponse, logFailure, responseToFailure } from "./error-responses.ts";
import { handleRequest, type ListenScope } from "./handler.ts";
import { type MirrorResponse, send } from "./response.ts";
import { type Address, readAddress } from "./route.ts";
import { defaultLimits, type MirrorLimits, type MirrorOptions } from "./types.ts";

export interface Mirror {
  /** `127.0.0.1:5000`: where it listens. */
  readonly address: string;
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Waits a while for responses under way, then ends them, and releases the content of incomplete images. */
  close(): Promise<void>;
}

/** Bytes of a request's head. */
const longestHead = 16 * 1024;
/** Milliseconds within which a request must arrive. */
const longestRequest = 15_000;
/** Milliseconds that a connection may stay open between two requests. */
const keepAlive = 30_000;
/** Milliseconds between two sweeps of incomplete images. */
const sweepEvery = 60_000;

/**
 * Serves until it is closed.
 * @throws PulleyError `USAGE` for an address that is not allowed with these options, or not available
 */
export async function startMirror(options: MirrorOptions): Promise<Mirror> {
  const where = listenAddress(options);
  const limits = { ...defaultLimits, ...options.limits };
  const { local } = where;
  const { pulls, ...parts } = options.parts;
  const deps = { ...pulls, ...parts, limits, local, openToAll: options.openToAll === true };
  const context = createMirrorContext(deps);
  const server = createServer(options, limits);
  const port = await listen(server, where, options.address);
  const scope = { port, registries: options.registries, local: where.local };
  const handler = createRequestHandler(context, scope, options);
  server.on("request", handler.receive);
  const sweeping = setInterval(() => void context.incomplete.sweep().catch(() => undefined), sweepEvery);
  sweeping.unref();
  const shown = `${where.host.includes(":") ? `[${where.host}]` : where.host}:${port}`;
  return {
    address: shown,
    url: `${options.tls === undefined ? "http" : "https"}://${shown}`,
    close: async () => {
      clearInterval(sweeping);
      await closeServer(server, handler, limits.closeAfter);
      await context.completion.close();
      await context.incomplete.close();
    },
  };
}

function createServer({ tls }: MirrorOptions, { connections, connectionsPerPeer }: MirrorLimits): Server {
  const timeouts = { headersTimeout: longestRequest, requestTimeout: longestRequest, keepAliveTimeout: keepAlive };
  const settings = { ...timeouts, maxHeaderSize: longestHead, connectionsCheckingInterval: 5_000 };
  const server =
    tls === undefined
      ? http.createServer(settings)
      : https.createServer({ ...settings, cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2" });
  server.maxConnections = connections;
  limitConnectionsPerPeer(server, connectionsPerPeer);
  server.maxHeadersCount = 100;
  return server;
}

async function listen(server: Server, { host, port }: ListenAddress, address: string): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new PulleyError("USAGE", `${address} cannot be listened on: ${networkWords(error)}`, {
      cause: error,
      advice: "Choose an address of this machine and a port that is free.",
    });
  }
  const bound: AddressInfo | string | null = server.address();
  if (bound === null || typeof bound === "string") throw new PulleyError("INTERNAL", `${address}: no port is bound`);
  return bound.port;
}

interface RequestHandler {
  readonly receive: (request: IncomingMessage, response: ServerResponse) => void;
  /** Cancels the requests under way. */
  abandon(): void;
  /** Resolves when no request is under way. */
  idle(): Promise<void>;
}

function createRequestHandler(
  context: MirrorContext,
  scope: ListenScope,
  { onRequest }: MirrorOptions,
): RequestHandler {
  const { limits, clock, log } = context.deps;
  const semaphore = createSemaphore(limits.streams);
  const underWay = new Set<Promise<void>>();
  const clients = new Set<AbortController>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = clock.now();
    const client = new AbortController();
    const { signal } = client;
    const address = readAddress(request.url ?? "");
    clients.add(client);
    response.once("close", () => {
      clients.delete(client);
      client.abort(new PulleyError("CANCELLED", "the client has gone"));
    });
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    // Reading requests have no body; one that comes is dropped.
    request.resume();
    const answer = await handleRequest(context, scope, request, address, signal);
    const { status, bytes } = await sendInTurn(response, answer, address, signal);
    const milliseconds = clock.now() - started;
    const { cache } = answer;
    onRequest?.({ route: address.route.kind, method: request.method ?? "", status, milliseconds, bytes, cache });
  }

  /** Waits for a free stream. @throws DOMException after {@link MirrorLimits.streamWait} */
  async function takePlace(signal: AbortSignal): Promise<() => void> {
    // Not AbortSignal.timeout(): Node 20 lets one that is only part of another be collected, and it never comes then.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException("too long", "TimeoutError")), limits.streamWait);
    try {
      return await semaphore.acquire(AbortSignal.any([signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  async function sendInTurn(response: ServerResponse, answer: MirrorResponse, { route }: Address, signal: AbortSignal) {
    const streamed = answer.body !== undefined && !Buffer.isBuffer(answer.body) && response.req.method === "GET";
    let release = () => {};
    try {
      if (streamed) release = await takePlace(signal);
      return { status: answer.status, bytes: await send(response, answer, { ...limits, signal }) };
    } catch (error) {
      if (!isClients(error, signal)) logFailure(log, error, route);
      // The head was sent, or the client has gone: nothing more can be answered.
      if (response.headersSent || response.destroyed) return { status: answer.status, bytes: 0 };
      const failure = error instanceof DOMException ? tooMany() : responseToFailure(error, route, true);
      return { status: failure.status, bytes: await send(response, failure, { ...limits, signal }) };
    } finally {
      release();
    }
  }

  return {
    receive: (request, response) => {
      // It is under way until its last byte is sent.
      const closed = new Promise<void>((resolve) => response.once("close", () => resolve()));
      // An unexpected error ends this response, and not the process.
      const served = serve(request, response)
        .catch((error: unknown) => {
          logFailure(log, error, { kind: "unknown" });
          response.destroy();
        })
        .then(() => closed);
      underWay.add(served);
      void served.finally(() => underWay.delete(served));
    },
    abandon: () => {
      for (const client of clients) client.abort(new PulleyError("CANCELLED", "the mirror is closing"));
    },
    idle: async () => {
      await Promise.all(underWay);
    },
  };
}

/** Whether the client has gone, or waited for too long. */
function isClients(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof DOMException;
}

function tooMany(): MirrorResponse {
  return errorResponse(429, "TOOMANYREQUESTS", "too much is being sent at once", { "retry-after": "5" });
}

async function closeServer(server: Server, handler: RequestHandler, closeAfter: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    handler.abandon();
    server.closeAllConnections();
  }, closeAfter);
  await handler.idle();
  server.closeIdleConnections();
  server.closeAllConnections();
  await closed;
  clearTimeout(timer);
}

interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly local: boolean;
}

/** @throws PulleyError `USAGE` if it is no address, or would serve other machines without TLS or without a list of registries */
function listenAddress({ address, tls, plainHttp, registries }: MirrorOptions): ListenAddress {
  const match = /^(\[[0-9a-f:]+\]|[^:[\]/\s]+):([0-9]{1,5})$/i.exec(address);
  const [, host = "", port = ""] = match ?? [];
  if (match === null || Number(port) > 65_535) {
    throw new PulleyError("USAGE", `${quote(address.slice(0, 200))} is not an address to listen on`, {
      advice: "Write it as host:port, for example 127.0.0.1:5000.",
    });
  }
  const local = isLoopback(host);
  if (!local && tls === undefined && plainHttp !== true) {
    throw new PulleyError("USAGE", `${address} serves other machines, which may show logins, without TLS`, {
      advice: "Give a certificate and its key, or listen on 127.0.0.1.",
    });
  }
  if (!local && registries === undefined) {
    throw new PulleyError("USAGE", `${address} serves other machines, but no registry is named`, {
      advice: "Name the registries, so that others cannot be reached through this machine.",
    });
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port), local };
}
