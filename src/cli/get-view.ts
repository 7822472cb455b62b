/** The tables of `pulley get`, with the columns of kubectl. */
import type { EventObject, ImageObject, PodObject } from "../daemon/index.ts";
import { humanDuration } from "../support/format.ts";
import { columns, printable, widthOf } from "../support/terminal.ts";
import { imageRows } from "./images.ts";
import { podSummary } from "./pod-summary.ts";

export interface RowOptions {
  readonly wide: boolean;
  /** Whether the first column is the namespace. */
  readonly namespaces: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The table of one kind of resource: the column headers, and the row of each item. */
export interface Table<Item> {
  readonly titles: readonly string[];
  rows(item: Item): readonly (readonly string[])[];
}

export function podTable({ wide, namespaces, now }: RowOptions): Table<PodObject> {
  const wideTitles = ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"];
  return {
    titles: [...lead(namespaces), "NAME", "READY", "STATUS", "RESTARTS", "AGE", ...(wide ? wideTitles : [])],
    rows: (pod) => {
      const { namespace, name, creationTimestamp } = pod.metadata;
      const { ready, status, restarts } = podSummary(pod, now);
      const row = [name, ready, status, restarts, since(creationTimestamp, now)];
      const more = [pod.status.podIP ?? "<none>", pod.spec.nodeName, "<none>", "<none>"];
      return [[...(namespaces ? [namespace] : []), ...row, ...(wide ? more : [])]];
    },
  };
}

export function eventTable({ wide, namespaces, now }: RowOptions): Table<EventObject> {
  const narrow = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
  const broad = [
    "LAST SEEN",
    "TYPE",
    "REASON",
    "OBJECT",
    "SUBOBJECT",
    "SOURCE",
    "MESSAGE",
    "FIRST SEEN",
    "COUNT",
    "NAME",
  ];
  return {
    titles: [...lead(namespaces), ...(wide ? broad : narrow)],
    rows: ({ metadata, involvedObject, type, reason, message, count, firstTimestamp, lastTimestamp, source }) => {
      const object = `${involvedObject.kind.toLowerCase()}/${involvedObject.name}`;
      const begin = [since(lastTimestamp, now), type, reason, object];
      const text = message.trim();
      const from = `${source.component}, ${source.host}`;
      const subject = involvedObject.fieldPath ?? "";
      const row = wide
        ? [...begin, subject, from, text, since(firstTimestamp, now), `${count}`, metadata.name]
        : [...begin, text];
      return [[...(namespaces ? [metadata.namespace] : []), ...row]];
    },
  };
}

/** As `pulley images` and crictl print them; images have no namespace. */
export function imageTable({ wide }: RowOptions): Table<ImageObject> {
  const options = { digests: wide, trunc: !wide };
  return {
    titles: [...(imageRows([], options)[0] ?? []), ...(wide ? ["PLATFORM"] : [])],
    rows: (image) =>
      imageRows([image], options)
        .slice(1)
        .map((row) => [...row, ...(wide ? [image.platform] : [])]),
  };
}

export function since(time: string, now: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "<unknown>" : humanDuration(now - at);
}

function lead(namespaces: boolean): readonly string[] {
  return namespaces ? ["NAMESPACE"] : [];
}

/** Formats rows that arrive one by one, in columns as wide as the widest cell so far; safe for a terminal. */
export function growingColumns(): (given: readonly (readonly string[])[]) => string[] {
  let widest: string[] = [];
  return (given) => {
    const rows = given.map((row) => row.map(printable));
    for (const row of rows) {
      widest = row.map((cell, at) => (widthOf(cell) > widthOf(widest[at] ?? "") ? cell : (widest[at] ?? "")));
    }
    // A row of the widest cells sets the widths, and is not printed.
    return columns([widest, ...rows]).slice(1);
  };
}
