import type { IncomingMessage } from "node:http";
import { type Clock, systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { cancellation, describeAsked, networkFailure } from "./failure.ts";
import { divert } from "./transfer/direct-reads.ts";
import type { HttpResponse } from "./transport.ts";

export interface ReceiveOptions {
  /** Milliseconds without a byte after which the source counts as stalled. */
  readonly stallTimeout: number;
  /** The clock of deadlines; default: the system's. */
  readonly timers?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes from which on a body is worth a connection of its own: one that was read directly carries nothing after it. */
const directLength = 8 * 1024 * 1024;

/**
 * Takes a body piece by piece, in order and without buffering: what `take` does is done before the next piece is read,
 * and the next piece may be read into the same memory. Ends with the body, or with whatever ends it early; the connection
 * is closed then.
 * @throws PulleyError `REGISTRY_STALLED`, `REGISTRY_UNREACHABLE` when it breaks off, `CANCELLED`, or what `take` throws
 */
export function receive(answer: HttpResponse, options: ReceiveOptions, take: (piece: Buffer) => void): Promise<void> {
  const left = announcedLength(answer);
  const { headers } = answer;
  return receiveWith(answer, options, take, headers["transfer-encoding"] === undefined && left >= directLength);
}

/** @param directly whether the body, whose length is known, is read past the parser */
function receiveWith(
  { asked, headers, body }: HttpResponse,
  { stallTimeout, signal }: ReceiveOptions,
  take: (piece: Buffer) => void,
  directly: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(stalled);
      signal?.removeEventListener("abort", cancel);
      body.removeAllListeners("data");
    };
    const fail = (error: unknown) => {
      settle();
      body.destroy();
      reject(error);
    };
    const broken = (error?: Error) =>
      fail(networkFailure(error ?? new Error("unexpected EOF: the connection was closed"), asked));
    const cancel = () => fail(signal === undefined ? undefined : cancellation(signal));
    const stalled = setTimeout(() => {
      fail(new PulleyError("REGISTRY_STALLED", `${describeAsked(asked)}: no byte for ${stallTimeout / 1000} s`));
    }, stallTimeout);
    const hear = (piece: Buffer) => {
      stalled.refresh();
      try {
        take(piece);
      } catch (error) {
        fail(error);
      }
    };
    const end = () => {
      settle();
      resolve();
    };
    if (signal?.aborted) {
      cancel();
      return;
    }
    signal?.addEventListener("abort", cancel, { once: true });
    body.once("end", end);
    body.once("error", broken);
    body.once("close", () => {
      if (!body.readableEnded) broken();
    });
    if (directly) takeDirectly(body, announcedLength({ headers }), hear, end);
    else body.on("data", hear);
  });
}

/** What the parser has read already comes first; after the last byte the connection is of no more use. */
function takeDirectly(body: IncomingMessage, length: number, take: (piece: Buffer) => void, end: () => void): void {
  let left = length;
  const takeSome = (piece: Buffer) => {
    const part = piece.subarray(0, left);
    left -= part.length;
    take(part);
    if (left > 0 || body.destroyed) return;
    end();
    body.destroy();
  };
  const takeParsed = () => {
    for (let piece: Buffer | null = body.read(); piece !== null; piece = body.read()) takeSome(piece);
  };
  takeParsed();
  if (!body.destroyed && !divert(body.socket, takeSome)) body.on("data", takeSome);
}

/** A whole body. @throws PulleyError `TOO_LARGE` beyond `limit` bytes, and as {@link receive} */
export async function readBody(answer: HttpResponse, limit: number, options: ReceiveOptions): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  const refuse = (): never => {
    throw new PulleyError("TOO_LARGE", `${describeAsked(answer.asked)}: more than the ${limit} bytes that it may have`);
  };
  if (announcedLength(answer) > limit && answer.asked.method !== "HEAD") {
    answer.body.destroy();
    refuse();
  }
  const keep = (piece: Buffer) => {
    length += piece.length;
    if (length > limit) refuse();
    pieces.push(piece);
  };
  await receiveWith(answer, options, keep, false);
  return Buffer.concat(pieces);
}

/** The `Content-Length`; NaN if there is none. */
export function announcedLength({ headers }: Pick<HttpResponse, "headers">): number {
  return Number.parseInt(headers["content-length"]?.[0] ?? "", 10);
}

/** Most bytes of a body that explains a failure. */
const errorLimit = 64 * 1024;

/** Milliseconds that the explanation of a failure may take: the failure itself is known already. */
const errorTimeout = 10_000;

/** What a failing answer says, as far as it can be read. */
export async function readErrorBody(answer: HttpResponse, options: ReceiveOptions): Promise<Buffer> {
  const { timers = systemClock } = options;
  const pieces: Buffer[] = [];
  let length = 0;
  const done = new AbortController();
  timers.sleep(errorTimeout, done.signal).then(
    () => answer.body.destroy(),
    () => undefined,
  );
  try {
    const keep = (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length >= errorLimit) throw new PulleyError("TOO_LARGE", "enough of an error has been read");
    };
    await receiveWith(answer, options, keep, false);
  } catch (error) {
    if (options.signal?.aborted) throw error;
  } finally {
    done.abort("read");
  }
  return Buffer.concat(pieces).subarray(0, errorLimit);
}

/** Milliseconds that reading a body which does not matter may take. */
const discardTimeout = 1_000;

/**
 * Ends an answer whose body does not matter. A small one is read to its end, because then the next request, which as a
 * rule follows at once, finds the connection free.
 */
export async function discard(answer: HttpResponse): Promise<void> {
  const { asked, body } = answer;
  if (asked.method !== "HEAD" && announcedLength(answer) > errorLimit) {
    body.destroy();
    return;
  }
  let length = 0;
  const timer = setTimeout(() => body.destroy(), discardTimeout);
  body.on("data", (piece: Buffer) => {
    length += piece.length;
    if (length > errorLimit) body.destroy();
  });
  await new Promise<void>((resolve) => body.once("end", resolve).once("close", resolve));
  clearTimeout(timer);
}
