/** One request over HTTP/1.1 and the head of its answer: no retries. Every wait has an end. */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { TLSSocket } from "node:tls";
import { createGunzip } from "node:zlib";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import type { JsonRecord } from "../support/json-record.ts";
import { networkWords } from "../support/network-words.ts";
import type { Connection } from "./login.ts";

/** What is asked for. */
export interface Call {
  readonly method: "GET" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly body?: CallBody | undefined;
  /** Whether the answer comes bit by bit, for minutes. */
  readonly isStream?: boolean;
  /** Called with each item of a list, which the document is then without. */
  readonly onItem?: ((item: JsonRecord) => void) | undefined;
}

export interface CallBody {
  /** Media type. */
  readonly type: string;
  readonly text: string;
}

export interface Exchange extends Call {
  readonly connection: Connection;
  readonly accept: string;
  readonly userAgent: string;
  readonly limits: ClusterLimits;
  readonly signal: AbortSignal | undefined;
  /** Called when the server may have the request: from here on it may act on it, whatever becomes of the answer. */
  readonly onSent?: (() => void) | undefined;
}

/** Milliseconds and bytes. */
export interface ClusterLimits {
  /** For name, connection and TLS together. */
  readonly connect: number;
  /** From the connection to the head of the answer: the API server gives itself a minute. */
  readonly answer: number;
  /** For the whole of a document, each attempt for itself. */
  readonly whole: number;
  /** Bytes of a document; a page that is longer is asked for in smaller pages. */
  readonly document: number;
  /** Bytes of one event of a watch, which has one object in it: etcd takes a mebibyte and a half. */
  readonly event: number;
  /** How late a server may be with the end of a watch. */
  readonly late: number;
}

export const usualLimits: ClusterLimits = {
  connect: 15_000,
  answer: 75_000,
  whole: 180_000,
  document: 32 * 1024 * 1024,
  event: 8 * 1024 * 1024,
  late: 30_000,
};

export interface ClusterAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string[]>;
  /** Unpacked. Must be read to its end or destroyed. */
  readonly body: Readable;
}

/** Milliseconds after which the system probes a silent connection, and ends it if the other side is gone. */
const probeAfter = 30_000;

/** Bytes of an answer's head. */
const longestHead = 64 * 1024;

/** @throws PulleyError `CLUSTER_UNREACHABLE`, `CANCELLED` */
export function exchange(asked: Exchange): Promise<ClusterAnswer> {
  const { method, url, body, isStream = false, connection, accept, userAgent, limits, signal, onSent } = asked;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancellation(signal));
      return;
    }
    const content = body !== undefined && { "content-type": body.type, "content-length": Buffer.byteLength(body.text) };
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method,
      agent: connection.agent,
      headers: {
        ...connection.headers,
        accept,
        // What is packed is held back until there is more of it.
        "accept-encoding": isStream ? "identity" : "gzip",
        "user-agent": userAgent,
        ...content,
      },
      maxHeaderSize: longestHead,
    });
    if (isStream) request.setSocketKeepAlive(true, probeAfter);
    const late = (what: string, milliseconds: number) =>
      setTimeout(() => request.destroy(new Error(`${what} within ${milliseconds / 1000} s`)), milliseconds);
    let timer = late("i/o timeout: no connection", limits.connect);
    let answered = false;
    const connected = () => {
      clearTimeout(timer);
      onSent?.();
      if (!answered) timer = late("no answer", limits.answer);
    };
    const cancel = () => request.destroy();
    signal?.addEventListener("abort", cancel, { once: true });
    const settle = () => {
      answered = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    };
    request.on("socket", (socket) => {
      if (request.reusedSocket || !socket.connecting) connected();
      else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected);
    });
    request.on("error", (error) => {
      settle();
      reject(signal?.aborted ? cancellation(signal) : networkFailure(error, asked));
    });
    request.on("response", (response) => {
      settle();
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headersDistinct,
        body: unpacked(response, signal),
      });
    });
    request.end(body?.text);
  });
}

function unpacked(response: IncomingMessage, signal: AbortSignal | undefined): Readable {
  const cancel = () => response.destroy(signal && cancellation(signal));
  signal?.addEventListener("abort", cancel, { once: true });
  response.once("close", () => signal?.removeEventListener("abort", cancel));
  response.on("error", () => undefined);
  if (response.headers["content-encoding"] !== "gzip") return response;
  const plain = response.pipe(createGunzip());
  response.once("error", (error) => plain.destroy(error));
  plain.once("close", () => response.destroy());
  plain.on("error", () => undefined);
  return plain;
}

/** Why an exchange came to nothing, or broke off. */
export function networkFailure(error: unknown, call: Call): PulleyError {
  if (isPulleyError(error)) return error;
  return new PulleyError("CLUSTER_UNREACHABLE", `${shown(call)}: ${printable(networkWords(error))}`, {
    cause: error,
  });
}

export function cancellation(signal: AbortSignal): PulleyError {
  if (isPulleyError(signal.reason)) return signal.reason;
  return new PulleyError("CANCELLED", "the call of the cluster was cancelled", { cause: signal.reason });
}

/** Without the query, which is long, and the body. */
export function shown({ method, url }: Call): string {
  return `${method} ${url.origin}${url.pathname}`;
}
