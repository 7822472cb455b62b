/** Answering one call. */

import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../support/clock.ts";
import type { MemoryBudget } from "../../support/concurrency.ts";
import { frame, readOnlyMessage } from "./framing.ts";
import type { GrpcLimits } from "./limits.ts";
import type { GrpcCall, Method } from "./methods.ts";
import { CallFailure, failureTrailers } from "./status.ts";

export interface AnswerContext {
  readonly clock: Clock;
  /** The failure that an unexpected error becomes. */
  readonly failureOf: (error: unknown) => CallFailure;
  /** The calls that are under way, for the server to end. */
  readonly underWay: Set<AbortController>;
  /** For the requests of all calls. */
  readonly memory: MemoryBudget;
  readonly limits: Pick<GrpcLimits, "requestTime">;
}

const answerHeaders = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity",
} as const;
const success = { "grpc-status": "0" } as const;

/** Why a deadline is waited for no longer; without a reason of ours, a stack would be written down for each call. */
const answered = "answered";

/** Milliseconds: what a timer can wait for. Who waits longer waits for ever. */
const longestTimer = 2 ** 31 - 1;

/** Whether a request is a call at all; if it is none, it has been answered. */
export function isCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const isPost = headers[":method"] === "POST";
  if (isPost && /^application\/grpc(?:$|[+;])/.test(headers["content-type"] ?? "")) return true;
  stream.respond({ ":status": isPost ? 415 : 405 }, { endStream: true });
  stream.resume();
  return false;
}

/** Never rejects: every failure is sent to the caller. */
export async function answerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: Method,
  context: AnswerContext,
): Promise<void> {
  const { clock, failureOf, underWay } = context;
  const controller = new AbortController();
  const { signal } = controller;
  const timer = new AbortController();
  const ended = rejectionOf(signal);
  underWay.add(controller);
  stream.once("close", () => {
    if (underWay.has(controller)) controller.abort(new CallFailure("CANCELLED", "the caller has gone"));
  });
  try {
    const timeout = readTimeout(headers["grpc-timeout"]);
    if (timeout !== undefined && timeout <= longestTimer) {
      const expire = () => controller.abort(new CallFailure("DEADLINE_EXCEEDED", "context deadline exceeded"));
      clock.sleep(timeout, timer.signal).then(expire, () => undefined);
    }
    await Promise.race([runMethod({ stream, headers }, method, { signal }, context), ended]);
  } catch (error) {
    const failure: unknown = signal.aborted ? signal.reason : error;
    failCall(stream, failure instanceof CallFailure ? failure : failureOf(failure));
  } finally {
    underWay.delete(controller);
    timer.abort(answered);
  }
}

interface Incoming {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

async function runMethod(incoming: Incoming, method: Method, call: GrpcCall, context: AnswerContext): Promise<void> {
  const { memory } = context;
  let kept = 0;
  let over = false;
  const keep = (bytes: number) => {
    if (over || !memory.take(bytes))
      throw new CallFailure("RESOURCE_EXHAUSTED", "too many requests are coming in at once");
    kept += bytes;
  };
  try {
    const request = await withinRequestTime(readOnlyMessage(incoming.stream, keep), call, context);
    await answerWith(incoming, method, request, call);
  } finally {
    over = true;
    memory.release(kept);
  }
}

/** What a caller has begun to send and does not end is waited for no longer; nor is what a caller sent who has gone. */
async function withinRequestTime(
  request: Promise<Buffer>,
  { signal }: GrpcCall,
  { clock, limits }: AnswerContext,
): Promise<Buffer> {
  const here = new AbortController();
  const gone = () => here.abort(signal.reason);
  signal.addEventListener("abort", gone, { once: true });
  const tooLate = clock.sleep(limits.requestTime, here.signal).then(() => {
    throw new CallFailure("DEADLINE_EXCEEDED", `the request did not come within ${limits.requestTime / 1000} s`);
  });
  try {
    return await Promise.race([request, tooLate]);
  } finally {
    tooLate.catch(() => undefined);
    signal.removeEventListener("abort", gone);
    here.abort(answered);
  }
}

async function answerWith(incoming: Incoming, method: Method, request: Buffer, call: GrpcCall): Promise<void> {
  const { stream, headers } = incoming;
  if (method.kind === "checked") {
    await method.check(request, call);
    // A single message that is not compressed is the same when it is framed again.
    if (!call.signal.aborted) method.onward(stream, headers, frame(request));
    return;
  }
  if (method.kind === "unary") {
    const answer = await method.answer(request, call);
    if (!call.signal.aborted) succeed(stream, frame(answer));
    return;
  }
  for await (const answer of method.answers(request, call)) {
    call.signal.throwIfAborted();
    begin(stream);
    // The next answer is made when the caller has room for it.
    if (!stream.write(frame(answer))) await once(stream, "drain", { signal: call.signal });
  }
  succeed(stream, undefined);
}

/** Ends a call that failed; the trailers come alone where nothing has been sent. */
export function failCall(stream: ServerHttp2Stream, { status, message }: CallFailure): void {
  if (stream.destroyed || stream.closed) return;
  const trailers = failureTrailers(status, message);
  if (stream.headersSent) {
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end();
  } else {
    stream.respond({ ...answerHeaders, ...trailers }, { endStream: true });
  }
  // What the caller still sends is dropped, so that it neither waits to send it nor keeps the stream open. A
  // reset that is written before the answer takes the answer's place, so the answer is given time to leave.
  stream.resume();
  setImmediate(() => setImmediate(() => closeHalfOpen(stream)));
}

function closeHalfOpen(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

function begin(stream: ServerHttp2Stream): void {
  if (!stream.headersSent) stream.respond(answerHeaders, { waitForTrailers: true });
}

function succeed(stream: ServerHttp2Stream, last: Buffer | undefined): void {
  begin(stream);
  stream.once("wantTrailers", () => stream.sendTrailers(success));
  stream.end(last);
}

/** Rejects when the signal aborts, for those who do not listen to it. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => undefined);
  return rejection;
}

/** Milliseconds of each unit: hours, minutes, seconds, milli-, micro- and nanoseconds. */
const units = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/**
 * The milliseconds of `grpc-timeout` (grpc `doc/PROTOCOL-HTTP2.md`); `undefined` if the caller sets no limit.
 * @throws CallFailure if it cannot be read
 */
function readTimeout(header: string | readonly string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === "string" ? header : header.join();
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const length = units.get(unit);
  if (digits === undefined || length === undefined)
    throw new CallFailure("INTERNAL", "the header grpc-timeout is malformed");
  return Math.ceil(Number(digits) * length);
}
