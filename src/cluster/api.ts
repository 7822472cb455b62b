/** The API of one cluster, for reading: documents, asked again where that helps (k8s client-go rest/request.go). */
import { STATUS_CODES } from "node:http";
import { type Clock, systemClock } from "../support/clock.ts";
import { atPlace, errnoOf, isPulleyError, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { type RetryDecision, type RetryPlan, retry } from "../support/retry.ts";
import { withoutSecrets } from "../support/without-secrets.ts";
import type { ClusterContext } from "./contexts.ts";
import {
  type ClusterAnswer,
  type ClusterLimits,
  cancellation,
  type Exchange,
  exchange,
  networkFailure,
  shown,
  usualLimits,
} from "./exchange.ts";
import { type Connection, openLogin } from "./login.ts";
import { isRecord, type JsonRecord, recordIn, textIn } from "./records.ts";

export interface DocumentRequest {
  /** `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** What a server answers: the document, or the `Status` object of what is not there (404) or not there any more (410). */
export type ClusterDocument =
  | { readonly kind: "found"; readonly document: JsonRecord }
  | { readonly kind: "absent"; readonly message: string }
  | { readonly kind: "expired"; readonly message: string; readonly continuation: string | undefined };

export interface ClusterApi {
  /** The name of its context. */
  readonly name: string;
  /** @throws PulleyError any of the `CLUSTER_` codes, `CREDENTIAL_HELPER_FAILED`, `TOO_LARGE`, `CANCELLED`, with the context */
  get(request: DocumentRequest): Promise<ClusterDocument>;
  /** Ends every connection. */
  close(): void;
}

export interface ClusterOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly userAgent: string;
  readonly clock?: Clock;
  readonly limits?: Partial<ClusterLimits>;
}

/** For each document; 429 says itself how long. */
const plan: RetryPlan = { attempts: 6, first: 300, factor: 2.5, longest: 10_000, jitter: 0.3 };

/** Milliseconds: who asks for a longer wait is not waited for. */
const longestWait = 60_000;

/** Bytes of an answer that explains a failure. */
const longestStatus = 256 * 1024;

export function openCluster(context: ClusterContext, options: ClusterOptions): ClusterApi {
  const { clock = systemClock, environment, userAgent } = options;
  const limits = { ...usualLimits, ...options.limits };
  const login = openLogin(context, environment, clock);
  let hasAnswered = false;

  async function once(url: URL, outer: AbortSignal | undefined): Promise<ClusterDocument> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate(url, limits)), limits.whole);
    const signal = outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]);
    try {
      const asked = { url, accept: "application/json", userAgent, limits, signal };
      const answer = await answerTo(asked);
      hasAnswered = true;
      return await documentOf(answer.answer, answer.connection, { ...asked, now: clock.now() });
    } finally {
      clearTimeout(timer);
    }
  }

  /** A login that is refused may have ended: it is made anew once. */
  async function answerTo(asked: Omit<Exchange, "connection">) {
    const connection = await login.connection();
    const answer = await exchange({ ...asked, connection });
    if (answer.status !== 401) return { answer, connection };
    answer.body.destroy();
    const renewed = await login.connection(true);
    return { answer: await exchange({ ...asked, connection: renewed }), connection: renewed };
  }

  return {
    name: context.name,
    close: login.close,
    async get({ path, query = {}, signal }) {
      const url = new URL(`${context.server.href.replace(/\/$/, "")}${path}`);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      try {
        const decide = (error: unknown) => retryDecision(error, hasAnswered);
        return await retry(plan, { clock, random: Math.random }, decide, () => once(url, signal), signal);
      } catch (error) {
        if (signal?.aborted) throw cancellation(signal);
        throw atPlace(`context "${context.name}"`, error);
      }
    },
  };
}

/** A server that has answered before and cannot be reached now is starting anew, as a rule. */
function retryDecision(error: unknown, hasAnswered: boolean): RetryDecision {
  if (isPulleyError(error, "CLUSTER_UNREACHABLE")) {
    const code = errnoOf(error.cause) ?? "";
    const again = hasAnswered || ["ECONNRESET", "EPIPE", "EAI_AGAIN", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
    return again ? { again: true } : { again: false };
  }
  if (!isPulleyError(error, "CLUSTER_FAILED") || error.retryAfter === undefined) return { again: false };
  return error.retryAfter > longestWait ? { again: false } : { again: true, after: error.retryAfter };
}

function tooLate(url: URL, { whole }: ClusterLimits): PulleyError {
  return new PulleyError("CLUSTER_UNREACHABLE", `GET ${shown(url)}: the answer was not complete in ${whole / 1000} s`);
}

interface Reading extends Pick<Exchange, "url" | "limits" | "signal"> {
  readonly now: number;
}

async function documentOf(
  answer: ClusterAnswer,
  connection: Connection,
  { url, limits, signal, now }: Reading,
): Promise<ClusterDocument> {
  const isFine = answer.status >= 200 && answer.status < 300;
  let text: string;
  try {
    text = await readText(answer, isFine ? limits.document : longestStatus);
  } catch (error) {
    if (signal?.aborted) throw cancellation(signal);
    throw networkFailure(error, url);
  }
  const document = parse(text);
  if (isFine) {
    if (document !== undefined) return { kind: "found", document };
    throw new PulleyError("CLUSTER_FAILED", `GET ${shown(url)}: the answer is no JSON object`, {
      advice: "Check that the server of the context is an API server of Kubernetes.",
    });
  }
  const message = statusWords(document, connection);
  // A server that knows the path says NotFound; one that is no API server does not.
  if (answer.status === 404 && textIn(document, "kind") === "Status") return { kind: "absent", message };
  if (answer.status === 410) {
    return { kind: "expired", message, continuation: textIn(recordIn(document, "metadata"), "continue") };
  }
  throw statusFailure(answer, { url, message, document, now });
}

async function readText({ body, headers }: ClusterAnswer, limit: number): Promise<string> {
  const refuse = () => {
    body.destroy();
    return new PulleyError("TOO_LARGE", `the cluster's answer has more than ${limit} bytes`, {
      advice: "Tell who runs the cluster: no answer should be as long.",
    });
  };
  const announced = headers["content-encoding"] === undefined ? Number(headers["content-length"]?.[0] ?? 0) : 0;
  if (announced > limit) throw refuse();
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    const bytes: Buffer = Buffer.from(piece);
    length += bytes.length;
    if (length > limit) throw refuse();
    pieces.push(bytes);
  }
  return Buffer.concat(pieces, length).toString("utf8");
}

function parse(text: string): JsonRecord | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** The server's own words, without the login that it may have been sent. */
function statusWords(document: JsonRecord | undefined, { headers }: Connection): string {
  const words = textIn(document, "message") ?? textIn(document, "reason") ?? "";
  const secret = headers["authorization"]?.replace(/^\S+\s+/, "") ?? "";
  return printable(withoutSecrets(secret === "" ? words : words.replaceAll(secret, "…")));
}

interface Refusal {
  readonly url: URL;
  readonly message: string;
  readonly document: JsonRecord | undefined;
  readonly now: number;
}

function statusFailure({ status, headers }: ClusterAnswer, { url, message, document, now }: Refusal): PulleyError {
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const text = `GET ${shown(url)}: ${title}${message === "" ? "" : `: ${message}`}`;
  if (status === 401) return new PulleyError("CLUSTER_UNAUTHORIZED", text);
  if (status === 403) return new PulleyError("CLUSTER_FORBIDDEN", text);
  if (status !== 429 && status < 500) return new PulleyError("CLUSTER_FAILED", text);
  const seconds = recordIn(document, "details")["retryAfterSeconds"];
  const asked = waitAsked(headers["retry-after"]?.[0] ?? "", now) ?? (typeof seconds === "number" ? seconds * 1000 : 0);
  return new PulleyError("CLUSTER_FAILED", text, { retryAfter: Math.max(0, asked) });
}

/** Milliseconds that a `Retry-After` asks for, as seconds or as a date (RFC 9110, section 10.2.3). */
function waitAsked(text: string, now: number): number | undefined {
  if (/^[0-9]{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
}
