/** One watch: the changes of a kind since a version, as long as the connection lasts (Kubernetes API concepts, "Watch"). */
import { PulleyError } from "../support/errors.ts";
import { isRecord, type JsonRecord, textAt } from "../support/json-record.ts";
import { linesOf } from "./event-lines.ts";
import { type Call, cancellation, networkFailure, shown } from "./exchange.ts";
import type { Connection } from "./login.ts";
import { failureOf, parse, statusReply } from "./replies.ts";
import type { ClusterSession } from "./session.ts";

export interface WatchRequest {
  /** `/api/v1/pods`. */
  readonly path: string;
  /** Of the list or the event after which it begins. */
  readonly version: string;
  /** After so many seconds the server ends it. A connection that is still there half a minute later is dead. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

export type WatchEvent =
  /** The server has agreed. */
  | { readonly kind: "opened" }
  | { readonly kind: "added" | "modified" | "deleted"; readonly version: string; readonly object: JsonRecord }
  /** Nothing else has happened up to here. */
  | { readonly kind: "bookmark"; readonly version: string }
  /** What has happened since the version is not known any more: the kind must be listed anew. The last event. */
  | { readonly kind: "expired"; readonly message: string }
  /** The cluster does not have the kind. The last event. */
  | { readonly kind: "absent"; readonly message: string };

/**
 * Ends when the server ends it.
 * @throws PulleyError as every call of the cluster, but after one attempt; `TOO_LARGE` if an event is too long
 */
export async function* watch(session: ClusterSession, request: WatchRequest): AsyncGenerator<WatchEvent, void> {
  const { path, version, seconds, signal: outer } = request;
  const query = { watch: "true", allowWatchBookmarks: "true", resourceVersion: version, timeoutSeconds: `${seconds}` };
  const call: Call = { method: "GET", url: session.url(path, query), isStream: true };
  const dead = new AbortController();
  const timer = setTimeout(() => dead.abort(silence(call, seconds)), seconds * 1000 + session.limits.late);
  const signal = outer === undefined ? dead.signal : AbortSignal.any([outer, dead.signal]);
  try {
    yield* events(session, call, signal);
  } catch (error) {
    throw session.failure(error, outer);
  } finally {
    clearTimeout(timer);
  }
}

async function* events(session: ClusterSession, call: Call, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
  const { answer, connection } = await session.answer(call, signal);
  if (answer.status !== 200) {
    const reply = await session.read({ answer, connection }, call, signal);
    if (reply.status !== 410 && !reply.isAbsent) throw failureOf(reply);
    yield { kind: reply.isAbsent ? "absent" : "expired", message: reply.message };
    return;
  }
  try {
    yield { kind: "opened" };
    for await (const line of linesOf(answer.body, session.limits.event)) {
      const event = eventOf(line, call, connection);
      if (event !== undefined) yield event;
      if (event?.kind === "expired") return;
    }
  } catch (error) {
    throw signal.aborted ? cancellation(signal) : networkFailure(error, call);
  } finally {
    answer.body.destroy();
  }
}

function silence(call: Call, seconds: number): PulleyError {
  return new PulleyError("CLUSTER_UNREACHABLE", `${shown(call)}: the watch did not end after ${seconds} s`);
}

const kinds: ReadonlyMap<unknown, "added" | "modified" | "deleted" | "bookmark"> = new Map([
  ["ADDED", "added"],
  ["MODIFIED", "modified"],
  ["DELETED", "deleted"],
  ["BOOKMARK", "bookmark"],
]);

/** `undefined`: of a type that nobody has thought of yet. */
function eventOf(line: string, call: Call, connection: Connection): WatchEvent | undefined {
  const event = parse(line);
  const object = event?.["object"];
  if (event === undefined || !isRecord(object)) throw noEvent(call);
  if (event["type"] === "ERROR") {
    const reply = statusReply(object, call, connection);
    if (reply.status !== 410) throw failureOf(reply);
    return { kind: "expired", message: reply.message };
  }
  const kind = kinds.get(event["type"]);
  if (kind === undefined) return undefined;
  const version = textAt(object, "metadata", "resourceVersion");
  if (version === undefined) throw noEvent(call);
  return kind === "bookmark" ? { kind, version } : { kind, version, object };
}

function noEvent(call: Call): PulleyError {
  return new PulleyError("CLUSTER_FAILED", `${shown(call)}: the answer is no event of a watch`, {
    advice: "Check that the server of the context is an API server of Kubernetes.",
  });
}
