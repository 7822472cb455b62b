/** What went wrong in an exchange, as one of the table's errors. Addresses are shown without their query. */
import { STATUS_CODES } from "node:http";
import { type ErrorCode, type ErrorDetails, isPulleyError, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { networkWords } from "../support/network-words.ts";
import { withoutSecrets } from "../support/without-secrets.ts";

/** What was asked: an `Exchange` is one. */
export interface SentRequest extends Sent {
  readonly method: string;
  readonly url: URL;
}

/** What was answered, apart from the body's stream: an `HttpResponse` is one. */
export interface ResponseHead {
  readonly asked: SentRequest;
  readonly status: number;
  /** By lower-case name, each value as it came. */
  readonly headers: NodeJS.Dict<string[]>;
}

/** `GET https://host/v2/…`; of a query only that there is one, for signed addresses carry their secret there. */
export function describeAsked({ method, url }: SentRequest): string {
  return `${method} ${showUrl(url)}`;
}

export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

/** What a 401 means, in the words of distribution's registry, which people search for. */
const demandWords = "authentication required";
const demand = new RegExp(demandWords, "i");

const speaksTls = "The server speaks TLS: leave --plain-http out, and give its certificate authority with --cert-dir.";
const speaksPlain = "The server does not speak TLS: if it is the registry you mean, use --plain-http.";

/** Why an exchange came to nothing, or broke off: no status says it. */
export function networkFailure(error: unknown, asked: SentRequest): PulleyError {
  if (isPulleyError(error)) return error;
  const code = systemCode(error);
  const text = printable(networkWords(error));
  const message = `${describeAsked(asked)}: ${text}`;
  if (code.startsWith("HPE_")) {
    const advice = asked.url.protocol === "http:" && isTlsRecord(error) ? { advice: speaksTls } : {};
    return new PulleyError("REGISTRY_PROTOCOL", message, { cause: error, ...advice });
  }
  if (isPlainAnswer(text)) return new PulleyError("REGISTRY_TLS", message, { cause: error, advice: speaksPlain });
  return new PulleyError(isTlsCode(code) ? "REGISTRY_TLS" : "REGISTRY_UNREACHABLE", message, { cause: error });
}

/** Whether what was received instead of an answer begins as a TLS record does: its type, and the version's 3 (RFC 8446, section 5.1). */
function isTlsRecord(error: unknown): boolean {
  const packet = isRecord(error) ? error["rawPacket"] : undefined;
  if (!(packet instanceof Uint8Array)) return false;
  const [type = 0, version = 3] = packet;
  return type >= 20 && type <= 23 && version === 3;
}

/** Whether the words of a failure mean that the other side does not speak TLS. */
export function isPlainAnswer(text: string): boolean {
  return /gave HTTP response to HTTPS client|first record does not look like a TLS handshake/.test(text);
}

/** Why a call ends that its caller has given up. */
export function cancellation(signal: AbortSignal): PulleyError {
  if (isPulleyError(signal.reason)) return signal.reason;
  return new PulleyError("CANCELLED", "the pull was cancelled", { cause: signal.reason });
}

/**
 * A failure as the caller shall see it: a wait that the signal ended fails with the signal's own reason, whatever that
 * is.
 */
export function named(error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted && !isPulleyError(error) ? cancellation(signal) : error;
}

/** The failure that a status stands for, with what the registry itself says about it. */
export function statusFailure(answered: ResponseHead, body: Buffer, now: number): PulleyError {
  const { asked, status, headers } = answered;
  const html = isHtml(answered);
  const words = html ? "" : registryWords(body, asked);
  const said = status === 401 && !demand.test(words) ? [demandWords, words].filter(Boolean).join(": ") : words;
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const message = `${describeAsked(asked)}: ${title}${said === "" ? "" : `: ${said}`}`;
  if (status === 400 && /HTTP request .*to (?:an )?HTTPS/i.test(body.toString("latin1", 0, 1024))) {
    return new PulleyError("REGISTRY_TLS", message, { advice: speaksTls });
  }
  if (html && (status === 404 || status < 400)) return new PulleyError("REGISTRY_PROTOCOL", `${message}: a web page`);
  // Some registries say 403 of a token that has ended: no permission is missing then.
  const hasEnded = (status === 401 || status === 403) && /\bexpired\b/i.test(words);
  return new PulleyError(codeOf(status), message, {
    ...retryDetails(headers, now),
    ...(hasEnded && { advice: "The login has expired: log in again, or renew the Secret that it is in." }),
  });
}

/** Whether the body is a web page: what captive portals, login pages and servers that are no registry send. */
export function isHtml({ headers }: ResponseHead): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(headers["content-type"]?.[0] ?? "");
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 401:
      return "REGISTRY_UNAUTHORIZED";
    case 403:
      return "REGISTRY_FORBIDDEN";
    case 404:
      return "REGISTRY_NOT_FOUND";
    case 429:
      return "REGISTRY_RATE_LIMITED";
    case 408:
      return "REGISTRY_UNAVAILABLE";
    default:
      return status >= 500 ? "REGISTRY_UNAVAILABLE" : "REGISTRY_PROTOCOL";
  }
}

/**
 * `MANIFEST_UNKNOWN: manifest unknown`, or the beginning of whatever text there is. What it says of logins is left out:
 * there are servers that send back what they were sent.
 */
function registryWords(body: Buffer, asked: SentRequest): string {
  const text = body.toString("utf8");
  const document = parseLeniently(text);
  const words = isRecord(document) ? (errorList(document) ?? sentences(document)).join("; ") : text;
  return printable(withoutSecrets(withoutSent(words, asked)));
}

/** What token services say that have a form of their own; a token would be under another name. */
function sentences(document: Record<string, unknown>): string[] {
  const names = ["error", "error_description", "message", "detail", "details", "reason"];
  return names.flatMap((name) => {
    const text = document[name];
    return typeof text === "string" && text !== "" ? [text] : [];
  });
}

/** The errors of distribution-spec's error body; `undefined` if it is no such body. */
function errorList(document: Record<string, unknown>): string[] | undefined {
  if (!Array.isArray(document["errors"])) return undefined;
  return document["errors"]
    .slice(0, 5)
    .filter(isRecord)
    .map((error) =>
      [error["code"], error["message"]].filter((part) => typeof part === "string" && part !== "").join(": "),
    )
    .filter((words) => words !== "");
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function retryDetails(headers: NodeJS.Dict<string[]>, now: number): ErrorDetails {
  const retryAfter = parseRetryAfter(headers["retry-after"]?.[0] ?? "", now);
  return retryAfter === undefined ? {} : { retryAfter };
}

/** Milliseconds, some thirty years: what is longer is as final, and later would be no date. */
const longestAsked = 1e12;

/** Milliseconds that a `Retry-After` asks for, as seconds or as a date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(text: string, now: number): number | undefined {
  if (/^\s*[0-9]+\s*$/.test(text)) return Math.min(longestAsked, Number(text) * 1000);
  const date = /^\s*[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(longestAsked, Math.max(0, date - now));
}

function systemCode(error: unknown): string {
  return isRecord(error) && typeof error["code"] === "string" ? error["code"] : "";
}

/** Node's codes for certificates that do not verify (OpenSSL's names) and handshakes that the other side ends. */
function isTlsCode(code: string): boolean {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|EPROTO)/.test(
    code,
  );
}

/** What a request carried in secret: there are servers that say back what they were sent, in whatever form. */

/** What of a request may be secret: an `Exchange` has it. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The form of a question for a token. */
  readonly body?: string | undefined;
}

/** A server's words without the secrets of the request that they answer. */
export function withoutSent(words: string, sent: Sent): string {
  const forms = secretsOf(sent)
    .filter((secret) => secret !== "")
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  return forms.reduce((text, secret) => text.replaceAll(secret, "…"), words);
}

function secretsOf({ headers, body = "" }: Sent): readonly string[] {
  const [scheme = "", told = ""] = (headers?.["authorization"] ?? "").split(" ", 2);
  const pair = scheme === "Basic" ? Buffer.from(told, "base64").toString() : "";
  return [told, pair.slice(pair.indexOf(":") + 1), new URLSearchParams(body).get("refresh_token") ?? ""];
}
