/** Responses and how they are sent: no body for HEAD, no faster than the client reads, closed when the content fails. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PulleyError } from "../support/errors.ts";

/** Where the content came from: the store, a registry, or the store because no registry could be asked. */
export type CacheState = "hit" | "miss" | "stale";

/** Header names in lower case. */
export type Headers = Readonly<Record<string, string>>;

export interface MirrorResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body?: Buffer | StreamedBody | undefined;
  readonly cache?: CacheState | undefined;
}

/** Content that comes in pieces. */
export interface StreamedBody {
  /**
   * Called once, and not at all for a HEAD.
   * @param coming called when content begins to arrive, though it may not be sent yet
   */
  open(coming: () => void): Promise<AsyncIterable<Buffer>>;
}

export const jsonType = "application/json";

export function jsonResponse(status: number, value: object, headers: Headers = {}): MirrorResponse {
  const body = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { "content-type": jsonType, "content-length": `${body.length}`, ...headers },
    body,
  };
}

export interface SendOptions {
  /** Milliseconds that a client may stall without reading a byte. */
  readonly stallTimeout: number;
  /** Milliseconds after which the head is sent ahead of the complete content, because clients do not wait longer for it. */
  readonly headAfter: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Sends a response. A failure in the middle closes the connection, so that no client takes a part for the whole.
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
  // The head is not sent before the first byte has arrived, so that a failure to get any can still be answered.
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
      // The first piece is awaited before the head is sent, so that missing or damaged content can still be answered.
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
  // The client would take the next response on this connection for the rest of this one.
  if (sent !== length) throw new PulleyError("INTERNAL", `an answer of ${length} bytes had ${sent}`);
  response.end();
  return sent;
}
