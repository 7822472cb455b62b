/** Repeated events: printed once, and counted from then on. */
import type { NodeEvent } from "../pods/index.ts";
import { humanDuration } from "../support/format.ts";
import { columns, type Paint, printable } from "../support/terminal.ts";

export interface Repeated {
  readonly event: NodeEvent;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly first: number;
}

export interface RepeatedEvents {
  /** Whether the event has not occurred before. */
  isNew(event: NodeEvent): boolean;
  /** The events that occurred more than once, in the order of their first occurrence. */
  all(): readonly Repeated[];
}

export function createRepeatedEvents(): RepeatedEvents {
  const seen = new Map<string, Repeated>();
  return {
    isNew: (event) => {
      const { type, reason, message, pod, fieldPath } = event;
      const key = JSON.stringify([type, reason, message, pod.uid, fieldPath]);
      const before = seen.get(key);
      seen.set(key, { event, count: (before?.count ?? 0) + 1, first: before?.first ?? event.time });
      return before === undefined;
    },
    all: () => [...seen.values()].filter(({ count }) => count > 1),
  };
}

/**
 * As kubectl counts events: `x5 over 40s`.
 * @param most maximum number of lines; the newest are shown
 */
export function repeatedLines(repeated: readonly Repeated[], most: number, paint: Paint): string[] {
  const shown = repeated.toSorted((one, other) => other.event.time - one.event.time).slice(0, Math.max(0, most - 1));
  if (shown.length === 0) return [];
  const rows = repeated
    .filter((one) => shown.includes(one))
    .map(({ event, count, first }) => [
      `x${count} over ${humanDuration(event.time - first)}`,
      paint(event.type === "Warning" ? "yellow" : "green", printable(event.reason)),
      `${paint("cyan", printable(objectOf(event)))}  ${printable(event.message)}`,
    ]);
  const more = repeated.length - shown.length;
  return ["", ...columns(rows, 2), ...(more > 0 ? [paint("dim", `and ${more} more that repeat`)] : [])];
}

/** The object of an event: `pod/web/nginx`. */
export function objectOf({ pod, fieldPath }: NodeEvent): string {
  const container = /\{(.*)\}$/.exec(fieldPath ?? "")?.[1];
  return `pod/${pod.name}${container === undefined ? "" : `/${container}`}`;
}
