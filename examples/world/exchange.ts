/** One request and its answer, and how fast answers go. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { BuiltContent } from "./image-builder.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Who was let in, once that is known. */
  user: string | undefined;
  /** Bytes of content sent so far. */
  sent: number;
}

/** How fast answers go. Default: as fast as they can. */
export interface Pace {
  /** Bytes a second, of all answers together. */
  readonly bytesPerSecond?: number;
  /** Milliseconds before each answer. */
  readonly latency?: number;
}

export interface Pacer {
  /** Bytes so far. */
  readonly spent: number;
  set(pace: Pace): void;
  /** Waits before an answer. */
  begin(): Promise<void>;
  /** Waits for as long as these bytes take. */
  spend(bytes: number): Promise<void>;
}

export function pacer(first: Pace): Pacer {
  let { bytesPerSecond = Infinity, latency = 0 } = first;
  let freeAt = 0;
  let spent = 0;
  return {
    get spent() {
      return spent;
    },
    set: (pace) => ({ bytesPerSecond = Infinity, latency = 0 } = pace),
    begin: async () => {
      if (latency > 0) await delay(latency);
    },
    async spend(bytes) {
      const now = performance.now();
      freeAt = Math.max(freeAt, now) + (bytes / bytesPerSecond) * 1000;
      if (freeAt > now) await delay(freeAt - now);
      spent += bytes;
    },
  };
}

const chunkSize = 64 * 1024;

/** Answers with a manifest or blob, or with the range of it that was asked for. */
export async function sendContent(exchange: Exchange, content: BuiltContent, pace: Pacer): Promise<void> {
  const { request, response } = exchange;
  const { digest, size, mediaType } = content.descriptor;
  const etag = `"${digest}"`;
  const headers: OutgoingHttpHeaders = {
    "content-type": content.kind === "manifest" ? mediaType : "application/octet-stream",
    "docker-content-digest": digest,
    etag,
    ...(content.kind === "blob" ? { "accept-ranges": "bytes" } : {}),
  };
  const range = content.kind === "blob" ? requestedRange(request, size, etag) : "whole";
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...headers, "content-range": `bytes */${size}`, "content-length": 0 }).end();
    return;
  }
  const { start, end } = range === "whole" ? { start: 0, end: size } : range;
  headers["content-length"] = end - start;
  if (range !== "whole") headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  response.writeHead(range === "whole" ? 200 : 206, headers);
  if (request.method !== "HEAD") await sendBytes(exchange, content.bytes.subarray(start, end), pace);
  response.end();
}

async function sendBytes(exchange: Exchange, bytes: Buffer, pace: Pacer): Promise<void> {
  const { response } = exchange;
  for (let at = 0; at < bytes.length && !response.destroyed; at += chunkSize) {
    const chunk = bytes.subarray(at, at + chunkSize);
    await pace.spend(chunk.length);
    exchange.sent += chunk.length;
    if (!response.write(chunk)) await drained(response);
  }
}

/** Resolves when more may be written, or when nobody is listening any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
    if (response.destroyed) done();
  });
}

/** The one range that a request names; a request for several gets the whole, as RFC 9110 allows. */
function requestedRange(
  { headers }: IncomingMessage,
  size: number,
  etag: string,
): "whole" | "unsatisfiable" | { start: number; end: number } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "");
  const condition = headers["if-range"];
  if (match === null || (condition !== undefined && condition !== etag)) return "whole";
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return "whole";
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}
