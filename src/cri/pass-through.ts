/**
 * Passes calls on to another server unread: unknown methods, messages and fields, streams in both
 * directions, their pace, and their ends. Only the authority is our own.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { connect } from "node:net";
import { errorText } from "../support/errors.ts";
import { networkWords } from "../support/network-words.ts";
import { failCall, isCall } from "./grpc/answer.ts";
import { CallFailure, failureTrailers } from "./grpc/status.ts";

export interface PassThrough {
  /** @param body all that the caller sent, where it has been read already */
  pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body?: Buffer): void;
  close(): void;
}

/** Bytes in flight in each direction of a call. */
const windowSize = 1024 * 1024;
/** Megabytes that all calls together may hold. */
const mostMemory = 256;

/** @param socket path of the other server's unix socket; it need not be there yet, and may come back */
export function createPassThrough(socket: string): PassThrough {
  let session: ClientHttp2Session | undefined;

  function currentSession(): ClientHttp2Session {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connectHttp2("http://localhost", {
      createConnection: () => connect(socket),
      maxSessionMemory: mostMemory,
      settings: { initialWindowSize: windowSize, enablePush: false },
    });
    // Each call fails by itself.
    opened.on("error", () => undefined);
    session = opened;
    return opened;
  }

  function pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer | undefined): void {
    const over = currentSession();
    const upstream = over.request({ ...headers, ":authority": "localhost" }, { endStream: false });
    if (body === undefined) stream.pipe(upstream);
    else upstream.end(body);
    join(stream, upstream, (error) => {
      const lost = error === undefined || over.destroyed || over.closed;
      if (!lost) return undefined;
      const reason = error === undefined ? "the connection broke off" : networkWords(error);
      return new CallFailure("UNAVAILABLE", `the container runtime at ${socket} does not answer: ${reason}`);
    });
  }

  return {
    pass: (stream, headers, body) => {
      if (!isCall(stream, headers)) return;
      try {
        pass(stream, headers, body);
      } catch (error) {
        failCall(
          stream,
          new CallFailure("INTERNAL", `the call cannot be passed on: ${errorText(error)}`, { cause: error }),
        );
      }
    },
    close: () => session?.close(),
  };
}

/** @param lostBy what a call ends with whose connection was lost; `undefined` if it was the call alone that failed */
function join(
  stream: ServerHttp2Stream,
  upstream: ClientHttp2Stream,
  lostBy: (error: unknown) => CallFailure | undefined,
): void {
  let trailers: OutgoingHttpHeaders | undefined;
  let failure: unknown;
  const finish = () => {
    if (trailers !== undefined && upstream.readableEnded && !stream.writableEnded) stream.end();
  };
  stream.once("close", () => {
    if (!upstream.closed) upstream.close(constants.NGHTTP2_CANCEL);
  });
  upstream.on("response", (headers, flags) => {
    if (stream.destroyed || stream.closed) return;
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond({ ...headers }, endStream ? { endStream } : { waitForTrailers: true });
    if (endStream) {
      stream.resume();
      return;
    }
    stream.once("wantTrailers", () => {
      if (trailers !== undefined) stream.sendTrailers(trailers);
    });
    // A stream that is reset comes to an end, too: whether it came to its own is told by its trailers.
    upstream.pipe(stream, { end: false });
  });
  upstream.on("trailers", (received) => {
    trailers = { ...received };
    finish();
  });
  upstream.on("end", finish);
  upstream.on("error", (error) => {
    failure = error;
  });
  upstream.once("close", () => {
    if (stream.destroyed || stream.closed || stream.writableEnded) return;
    const lost = lostBy(failure);
    if (lost === undefined) stream.close(upstream.rstCode || constants.NGHTTP2_INTERNAL_ERROR);
    else if (stream.headersSent) {
      trailers = failureTrailers(lost.status, lost.message);
      stream.end();
    } else failCall(stream, lost);
  });
}
