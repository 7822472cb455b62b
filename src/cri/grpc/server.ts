/**
 * A gRPC server on HTTP/2 itself: calls that it does not answer can be handed on with all that is in them, read or not.
 */
import { once } from "node:events";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer, type Server } from "node:net";
import type { Clock } from "../../support/clock.ts";
import { createMemoryBudget } from "../../support/concurrency.ts";
import { limitConnections } from "../../support/connection-limits.ts";
import { answerCall, failCall, isCall } from "./answer.ts";
import { filteredConnection } from "./authority.ts";
import { defaultLimits, type GrpcLimits } from "./limits.ts";
import type { Methods } from "./methods.ts";
import { CallFailure } from "./status.ts";

export interface GrpcServerOptions {
  readonly methods: Pick<Methods, "get">;
  /** Takes the calls that are not in the methods. */
  readonly otherwise: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  readonly failureOf: (error: unknown) => CallFailure;
  readonly clock: Clock;
  readonly limits?: Partial<GrpcLimits>;
}

export interface GrpcServer {
  /** Does not listen yet. */
  readonly listener: Server;
  /** Takes no more calls, waits for those that are under way for at most `grace` milliseconds, and ends the rest. */
  close(grace: number): Promise<void>;
}

/** Bytes that a caller may send of a call before we have read them: with as many calls as there may be, 64 MiB. */
const windowSize = 64 * 1024;
/** Megabytes that a connection may hold: some messages of the largest size at once. */
const mostMemory = 64;

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { methods, otherwise, failureOf, clock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const http = createHttp2Server({
    maxSessionMemory: mostMemory,
    maxHeaderListPairs: limits.headerFields,
    settings: {
      initialWindowSize: windowSize,
      enablePush: false,
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headers,
    },
  });
  const listener = createServer({ noDelay: true });
  const places = limitConnections(listener, limits.connections);
  const sessions = new Set<ServerHttp2Session>();
  const streams = new Set<ServerHttp2Stream>();
  const underWay = new Set<AbortController>();
  const context = { clock, failureOf, underWay, limits, memory: createMemoryBudget(limits.requests) };

  listener.on("connection", (socket) => {
    if (socket.destroyed) return;
    // The session is there before this returns.
    http.once("session", (session) => serveSession(session, () => places.occupy(socket)));
    http.emit("connection", filteredConnection(socket));
  });

  function serveSession(session: ServerHttp2Session, occupy: () => () => void): void {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    // Of a client that breaks off or does not speak HTTP/2 there is nothing to be told.
    session.on("error", () => undefined);
    session.on("stream", (stream, headers) => {
      stream.once("close", occupy());
      serveStream(stream, headers);
    });
  }

  function serveStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on("error", () => undefined);
    if (streams.size >= limits.calls) {
      if (isCall(stream, headers)) {
        failCall(stream, new CallFailure("RESOURCE_EXHAUSTED", "too many calls are under way"));
      }
      return;
    }
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    const method = methods.get(headers[":path"] ?? "");
    if (method === undefined) otherwise(stream, headers);
    else if (isCall(stream, headers)) void answerCall(stream, headers, method, context);
  }

  /** Rejects when it takes too long. */
  async function lastStream(signal: AbortSignal): Promise<void> {
    for (const stream of streams) await once(stream, "close", { signal });
  }

  async function close(grace: number): Promise<void> {
    listener.close();
    // Tells the clients; connections without a call end at once.
    for (const session of sessions) session.close();
    const waiting = new AbortController();
    clock.sleep(grace, waiting.signal).then(
      () => waiting.abort(),
      () => undefined,
    );
    await lastStream(waiting.signal).catch(() => undefined);
    waiting.abort();
    for (const call of underWay) call.abort(new CallFailure("UNAVAILABLE", "the image service is stopping"));
    // What was said last is still to be sent.
    await new Promise((resolve) => setImmediate(resolve));
    for (const session of sessions) session.destroy();
  }

  return { listener, close };
}

/** Answers a call of an unknown method. */
export function refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, message: string): void {
  if (isCall(stream, headers)) failCall(stream, new CallFailure("UNIMPLEMENTED", message));
}
