/** An answer, and how it is sent: without a body to a HEAD, no faster than it is read, and broken off where it fails. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PulleyError } from "../support/errors.ts";

/** Where what is answered came from: the store, a registry just now, or the store because no registry could be asked. */
export type CacheState = "hit" | "miss" | "stale";

/** Names in lower case. */
export type Headers = Readonly<Record<string, string>>;

export interface MirrorResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body?: Buffer | Streamed | undefined;
  readonly cache?: CacheState | undefined;
}

/** Content that comes in pieces. */
export interface Streamed {
  /**
   * Called once, and not at all for a HEAD.
   * @param coming to be called when the first of it is on its way, though it may not be given out yet
   */
  open(coming: () => void): Promise<AsyncIterable<Buffer>>;
}

export const jsonType = "application/json";

export function jsonAnswer(status: number, value: object, headers: Headers = {}): MirrorResponse {
  const body = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { "content-type": jsonType, "content-length": `${body.length}`, ...headers },
    body,
  };
}

export interface SendOptions {
  /** Milliseconds that a client may let us wait without taking a byte. */
  readonly stallTimeout: number;
  /** Milliseconds after which the head is sent though the content is not all here: clients do not wait long for that. */
  readonly headAfter: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Sends an answer. What breaks off in the middle ends the connection, so that nobody takes a part for the whole.
 * @returns the bytes of the body that were handed to the connection
 * @throws whatever stands in the way of the content; then nothing was sent, or the connection is closed
 */
export async function send(response: ServerResponse, answer: MirrorResponse, sending: SendOptions): Promise<number> {
  const { status, headers, body } = answer;
  if (response.req.method === "HEAD" || body === undefined) {
    response.writeHead(status, headers).end();
    return 0;
  }
  if (Buffer.isBuffer(body)) {
    response.writeHead(status, headers).end(body);
    return body.length;
  }
  const begin = () => {
    if (!response.headersSent) response.writeHead(status, headers).flushHeaders();
  };
  // Of content that nobody has sent a byte of it is not said that it comes: whoever waits for that hears why it does not.
  let [waited, comes] = [false, false];
  const early = setTimeout(() => {
    waited = true;
    if (comes) begin();
  }, sending.headAfter);
  const coming = () => {
    comes = true;
    if (waited) begin();
  };
  try {
    const pieces = (await body.open(coming))[Symbol.asyncIterator]();
    try {
      // The first piece comes before the head, so that what is missing or damaged can still be said.
      const first = await pieces.next();
      clearTimeout(early);
      if (!response.headersSent) response.writeHead(status, headers);
      return await sendPieces(response, first, pieces, { ...sending, length: Number(headers["content-length"]) });
    } finally {
      await pieces.return?.();
    }
  } catch (error) {
    if (response.headersSent) response.destroy();
    throw error;
  } finally {
    clearTimeout(early);
  }
}

async function sendPieces(
  response: ServerResponse,
  first: IteratorResult<Buffer>,
  pieces: AsyncIterator<Buffer>,
  { stallTimeout, signal, length }: SendOptions & { readonly length: number },
): Promise<number> {
  response.setTimeout(stallTimeout, () => response.destroy());
  let sent = 0;
  for (let piece = first; !piece.done; piece = await pieces.next()) {
    signal.throwIfAborted();
    sent += piece.value.length;
    if (sent > length) break;
    if (!response.write(piece.value)) await once(response, "drain", { signal });
  }
  // A client would take what comes next on this connection for the rest of it.
  if (sent !== length) throw new PulleyError("INTERNAL", `an answer of ${length} bytes had ${sent}`);
  response.end();
  return sent;
}
