/** HTTP for reading alone: one connection handler for the daemon's socket and for its metrics. */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { limitConnections } from "./connection-limits.ts";

/** What is asked for, once it is known to be harmless. */
export interface ReadOnlyRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The media types that are wanted; empty where none is named. */
  readonly accept: string;
  /** Aborts when the client has gone, or the server ends. */
  readonly signal: AbortSignal;
}

export interface ReadOnlyResponse {
  readonly status: number;
  readonly type: string;
  /** A text, or what is sent as it comes. */
  readonly body: string | AsyncIterable<string | Buffer>;
}

export interface ReadOnlyOptions {
  /** Answers; what it throws is answered with status 500. */
  readonly answer: (asked: ReadOnlyRequest) => ReadOnlyResponse | Promise<ReadOnlyResponse>;
  /**
   * Whether a request is meant for this server: the host that it names, and the address at which it arrived. Default:
   * all.
   */
  readonly isOwnHost?: (host: string | undefined, here: string | undefined) => boolean;
  /** Called with each error that it threw, and the path that was asked for. */
  readonly onFailure: (error: unknown, path: string) => void;
}

const limits = { target: 4096, headers: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 };
const connections = { total: 256, perPeer: 64 };

export interface ReadOnlyServer {
  readonly server: Server;
  /** Ends every answer that is under way, and stops listening. */
  close(): Promise<void>;
}

export function createReadOnlyServer({ answer, isOwnHost = () => true, onFailure }: ReadOnlyOptions): ReadOnlyServer {
  const ending = new AbortController();
  // Every answer under way listens: without this, Node would take more than ten of them for a leak.
  setMaxListeners(0, ending.signal);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body is ignored, and never kept.
    request.resume();
    const gone = new AbortController();
    const leave = () => gone.abort();
    response.once("close", leave);
    ending.signal.addEventListener("abort", leave, { once: true });
    try {
      await send(response, await answerTo(request, gone.signal), request.method === "HEAD", gone.signal);
    } finally {
      ending.signal.removeEventListener("abort", leave);
    }
  }

  async function answerTo(request: IncomingMessage, signal: AbortSignal): Promise<ReadOnlyResponse> {
    const { method, url = "/" } = request;
    if (!isOwnHost(request.headers.host, request.socket.localAddress)) {
      return plain(421, "this is not the host that was asked: see --metrics-host");
    }
    if (method !== "GET" && method !== "HEAD") return plain(405, "only GET and HEAD are answered here");
    if (url.length > limits.target) return plain(414, "the address is too long");
    if (!url.startsWith("/") || !URL.canParse(url, "http://pulley")) return plain(400, "the address cannot be read");
    const { pathname, searchParams } = new URL(url, "http://pulley");
    try {
      return await answer({ path: pathname, query: searchParams, accept: request.headers.accept ?? "", signal });
    } catch (error) {
      if (!signal.aborted) onFailure(error, pathname);
      return plain(500, "internal error: see the daemon's log");
    }
  }

  const server = createServer({
    maxHeaderSize: limits.headers,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
  });
  const places = limitConnections(server, connections);
  server.on("request", (request, response) => {
    response.once("close", places.occupy(request.socket));
    // An answer that breaks off has no other reader than the one who left.
    handle(request, response).catch(() => response.destroy());
  });
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        ending.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send(
  response: ServerResponse,
  answer: ReadOnlyResponse,
  headOnly: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { status, type, body } = answer;
  const headers = {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(status === 405 && { allow: "GET, HEAD" }),
  };
  if (typeof body === "string") {
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(headOnly ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  if (headOnly) {
    response.end();
    return;
  }
  // A client that watches gets the head at once, before anything has happened.
  response.flushHeaders();
  await pipeline(Readable.from(body, { objectMode: true, highWaterMark: 16 }), response, { signal });
}

export function plain(status: number, text: string): ReadOnlyResponse {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}
