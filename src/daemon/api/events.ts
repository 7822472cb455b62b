/** The latest events of a node, each with how often it happened. */
import type { NodeEvent } from "../../pods/index.ts";
import type { EventObject, WatchEvent } from "./objects.ts";
import { timeText } from "./pod-object.ts";
import { apiVersion } from "./version.ts";

export interface EventList {
  add(event: NodeEvent): void;
  /** Adds an event of the node itself, such as a failed garbage collection. */
  addOfNode(event: MachineEvent): void;
  /** Those of a namespace, or all; what happened last comes last. */
  list(namespace?: string): readonly EventObject[];
  /** Calls the listener with each event that is new or has happened again, until the returned function is called. */
  onChange(listener: (change: WatchEvent<EventObject>) => void): () => void;
}

export type MachineEvent = Pick<NodeEvent, "time" | "type" | "reason" | "message">;

export interface EventListOptions {
  /** The node's name. */
  readonly host: string;
  /** Most events that are kept; those that have not happened for longest go first. */
  readonly most?: number;
}

/** Milliseconds for which an event is kept, as an API server does (`--event-ttl`). */
const timeToLive = 3_600_000;
/**
 * The same event of the same object is one, that happens again; more than ten of an object that differ in their message
 * alone, within ten minutes, become one too (k8s client-go tools/record/events_cache.go).
 */
const mostSimilar = 10;
const similarWithin = 600_000;
const combined = "(combined from similar events): ";
const longestMessage = 16 * 1024;

type Happened = MachineEvent & { readonly about: EventObject["involvedObject"] };

interface KeptEvent {
  readonly key: string;
  readonly name: string;
  readonly first: number;
  last: number;
  count: number;
  event: Happened;
}

interface SimilarEvents {
  messages: Set<string>;
  last: number;
}

export function createEventList({ host, most = 1000 }: EventListOptions): EventList {
  // A map remembers the order in which its keys came: what happens again is put at its end.
  const kept = new Map<string, KeptEvent>();
  const similar = new Map<string, SimilarEvents>();
  const listeners = new Set<(change: WatchEvent<EventObject>) => void>();
  let number = 0;

  function messageOf(event: Happened): { readonly key: string; readonly message: string } {
    const { type, reason, about, time } = event;
    const message = event.message.slice(0, longestMessage);
    const group = JSON.stringify([about, type, reason]);
    const known = similar.get(group);
    const fresh = known !== undefined && time - known.last <= similarWithin;
    const messages = fresh ? known.messages : new Set<string>();
    if (messages.size < mostSimilar) messages.add(message);
    similar.delete(group);
    similar.set(group, { messages, last: time });
    prune(similar, most);
    if (messages.has(message) && messages.size < mostSimilar) return { key: JSON.stringify([group, message]), message };
    return { key: group, message: `${combined}${message}` };
  }

  function dropOld(now: number): void {
    for (const [key, { last }] of kept) {
      if (now - last <= timeToLive) break;
      kept.delete(key);
    }
    prune(kept, most);
  }

  function objectOf({ name, first, last, count, event }: KeptEvent): EventObject {
    const { about, type, reason, message } = event;
    return {
      apiVersion,
      kind: "Event",
      metadata: { namespace: about.namespace, name, creationTimestamp: timeText(first) },
      involvedObject: about,
      type,
      reason,
      message,
      count,
      firstTimestamp: timeText(first),
      lastTimestamp: timeText(last),
      source: { component: "pulley", host },
    };
  }

  function take(event: Happened): void {
    const { key, message } = messageOf(event);
    const before = kept.get(key);
    number += 1;
    const name =
      before?.name ?? `${event.about.name}.${event.time.toString(16)}${number.toString(16).padStart(4, "0")}`;
    const { first, count } = before ?? { first: event.time, count: 0 };
    const now = { key, name, first, last: event.time, count: count + 1, event: { ...event, message } };
    kept.delete(key);
    kept.set(key, now);
    dropOld(event.time);
    const change = { type: before === undefined ? "ADDED" : "MODIFIED", object: objectOf(now) } as const;
    for (const listener of listeners) listener(change);
  }

  return {
    add: ({ pod, fieldPath, ...event }) => {
      const place = fieldPath === undefined ? {} : { fieldPath };
      take({ ...event, about: { apiVersion: "v1", kind: "Pod", ...pod, ...place } });
    },
    // Kubernetes keeps events of what is in no namespace in this one (k8s client-go tools/record/event.go).
    addOfNode: (event) =>
      take({ ...event, about: { apiVersion: "v1", kind: "Node", namespace: "default", name: host, uid: host } }),
    list: (namespace) =>
      [...kept.values()]
        .filter(({ event }) => namespace === undefined || event.about.namespace === namespace)
        .map(objectOf),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Drops the oldest events above the limit. */
function prune(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
