/** What an API server says: the document of an answer, or the words and the wait of a `Status` object (k8s apimachinery meta/v1). */
import { STATUS_CODES } from "node:http";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { isRecord, type JsonRecord, recordAt, textAt } from "../support/json-record.ts";
import { withoutSecrets } from "../support/without-secrets.ts";
import { type Call, type ClusterAnswer, type ClusterLimits, cancellation, networkFailure, shown } from "./exchange.ts";
import { parseList } from "./list-items.ts";
import type { Connection } from "./login.ts";
import type { PageMemory } from "./page-memory.ts";

export interface Reply {
  readonly call: Call;
  readonly status: number;
  /** `undefined` only where the answer is a failure's. */
  readonly document: JsonRecord | undefined;
  /** The server's own words about a failure, without the login that it may have been sent. */
  readonly message: string;
  /** Whether an API server says that there is no such object, or no such kind. */
  readonly isAbsent: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;
}

export interface ReplyReading {
  readonly call: Call;
  readonly limits: ClusterLimits;
  readonly memory: PageMemory;
  readonly signal: AbortSignal | undefined;
  readonly now: number;
}

/** Bytes of an answer that explains a failure. */
const longestStatus = 256 * 1024;

/** @throws PulleyError `TOO_LARGE`, `CLUSTER_UNREACHABLE`, `CANCELLED`; `CLUSTER_FAILED` if a good answer is no JSON */
export async function readReply(
  answer: ClusterAnswer,
  connection: Connection,
  { call, limits, memory, signal, now }: ReplyReading,
): Promise<Reply> {
  const { status } = answer;
  const isFine = status >= 200 && status < 300;
  let content: Content;
  try {
    const use = (bytes: Buffer) => contentOf(bytes, isFine ? call.onItem : undefined);
    content = await readBody(answer, isFine ? limits.document : longestStatus, memory, use);
  } catch (error) {
    if (signal?.aborted) throw cancellation(signal);
    throw networkFailure(error, call);
  }
  const { document, text } = content;
  if (isFine && document === undefined) {
    throw new PulleyError("CLUSTER_FAILED", `${shown(call)}: the answer is no JSON object`, {
      advice: "Check that the server of the context is an API server of Kubernetes.",
    });
  }
  return {
    call,
    status,
    document,
    message: isFine ? "" : statusWords(document, connection),
    isAbsent: status === 404 && (textAt(document, "kind") === "Status" || isUnknownGroup(answer, text)),
    retryAfter: isFine ? undefined : waitOf(answer, document, now),
  };
}

/** An API server knows no path of a group that it does not have, and says so in plain text; each answer has its audit's id. */
function isUnknownGroup({ headers }: ClusterAnswer, text: string): boolean {
  return headers["audit-id"] !== undefined && text.trim() === "404 page not found";
}

interface Content {
  readonly document: JsonRecord | undefined;
  /** Of what is no document; elsewhere it is nothing. */
  readonly text: string;
}

function contentOf(bytes: Buffer, onItem: Call["onItem"]): Content {
  if (onItem !== undefined) return { document: parseList(bytes, onItem), text: "" };
  const text = bytes.toString("utf8");
  const document = parse(text);
  return { document, text: document === undefined ? text : "" };
}

async function readBody<T>(
  { body, headers }: ClusterAnswer,
  limit: number,
  memory: PageMemory,
  use: (bytes: Buffer) => T,
): Promise<T> {
  const refuse = () => {
    body.destroy();
    return new PulleyError("TOO_LARGE", `the cluster's answer has more than ${limit} bytes`, {
      advice: "Tell who runs the cluster: no answer should be as long.",
    });
  };
  const announced = headers["content-encoding"] === undefined ? Number(headers["content-length"]?.[0] ?? 0) : 0;
  if (announced > limit) throw refuse();
  return await memory.read(body, limit, refuse, use);
}

export function parse(text: string): JsonRecord | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** The server's own words, without the login that it may have been sent. */
function statusWords(document: JsonRecord | undefined, { headers }: Connection): string {
  const words = textAt(document, "message") ?? textAt(document, "reason") ?? "";
  const secret = headers["authorization"]?.replace(/^\S+\s+/, "") ?? "";
  return printable(withoutSecrets(secret === "" ? words : words.replaceAll(secret, "…")));
}

function waitOf({ headers }: ClusterAnswer, document: JsonRecord | undefined, now: number): number | undefined {
  return waitAsked(headers["retry-after"]?.[0] ?? "", now) ?? waitIn(document);
}

/** Milliseconds that a `Status` object asks for. */
function waitIn(status: JsonRecord | undefined): number | undefined {
  const seconds = recordAt(status, "details")["retryAfterSeconds"];
  return typeof seconds === "number" ? seconds * 1000 : undefined;
}

/** Milliseconds that a `Retry-After` asks for, as seconds or as a date (RFC 9110, section 10.2.3). */
function waitAsked(text: string, now: number): number | undefined {
  if (/^[0-9]{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
}

/** A failure that is told in the middle of a good answer. */
export function statusReply(status: JsonRecord, call: Call, connection: Connection): Reply {
  const { code } = status;
  return {
    call,
    status: typeof code === "number" ? code : 500,
    document: status,
    message: statusWords(status, connection),
    isAbsent: false,
    retryAfter: waitIn(status),
  };
}

/** What there is no other word for. Whatever may be better the next time has a `retryAfter`. */
export function failureOf({ call, status, message, retryAfter }: Reply): PulleyError {
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const text = `${shown(call)}: ${title}${message === "" ? "" : `: ${message}`}`;
  if (status === 401) return new PulleyError("CLUSTER_UNAUTHORIZED", text);
  if (status === 403) return new PulleyError("CLUSTER_FORBIDDEN", text);
  if (status !== 429 && status < 500) return new PulleyError("CLUSTER_FAILED", text);
  return new PulleyError("CLUSTER_FAILED", text, { retryAfter: Math.max(0, retryAfter ?? 0) });
}
