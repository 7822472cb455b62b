/**
 * The quick way through YAML as most people write it: from events that point into the text straight to values, without a
 * syntax tree. It knows neither anchors nor tags nor merge keys, and takes nothing for wrong: what it does not know is for
 * {@link readYaml} to read, or to refuse in its own words.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE } from "js-yaml";
import { limits } from "./limits.ts";
import { plainScalar } from "./scalar.ts";
import type { MappingValue, ScalarValue, SequenceValue, Value } from "./value.ts";

/** Thrown for what the quick way does not know. */
const unknown = new Error("this is for the other way to read");

/**
 * What some take for one thing and some for another, or for a mistake: an end without a document before it, a tab that
 * indents, a beginning that is indented, a key that is marked as one, a comment between a dash and its item, a carriage
 * return alone, and a byte order mark within the text.
 */
const disputed = /(?:^|\n)(?:\.\.\.| *\t| +---|[- ]*\?\s)|-\s*\n *#|\r(?!\n)|\ufeff/;

/** A block whose last line breaks are kept: whether blanks at the very end of a text are a line of it is disputed, too. */
const keeping = /[|>]\d?\+/;

/** Before the value of a key, before an item of a sequence, and before a document, where nothing has to stand. */
const colon = /[ \t]*:[ \t]*/y;
const dash = /(?:[ \t\r\n]|#[^\n]*)*-[ \t]*/y;
const nowhere = /(?!)/y;

type YamlScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;
type YamlCollectionEvent = Extract<Event, { type: typeof EVENT_ID.MAPPING | typeof EVENT_ID.SEQUENCE }>;

interface EventWalk {
  readonly text: string;
  /** Offset in the whole text of the part that is read. */
  readonly base: number;
  readonly events: readonly Event[];
  /** Of the next event. */
  next: number;
  /** Where in the part the last scalar that was read ends, or the last collection begins. */
  end: number;
}

/** The documents of a part of a text; `undefined` where they have to be read in the other way. */
export function readPlainYaml(text: string, base: number): Value[] | undefined {
  if (disputed.test(text) || (/[ \t]$/.test(text) && keeping.test(text))) return undefined;
  try {
    const walk: EventWalk = { text, base, events: parseEvents(text, { maxDepth: limits.depth - 1 }), next: 0, end: 0 };
    const values: Value[] = [];
    while (walk.next < walk.events.length) values.push(documentOf(walk));
    return values;
  } catch {
    return undefined;
  }
}

function documentOf(walk: EventWalk): Value {
  const event = take(walk);
  if (event.type !== EVENT_ID.DOCUMENT || event.directives.length > 0) throw unknown;
  const value = valueOf(walk, nowhere);
  if (!isPop(walk) || value.kind === "scalar") throw unknown;
  return value;
}

function take(walk: EventWalk): Event {
  const event = walk.events[walk.next];
  if (event === undefined) throw unknown;
  walk.next += 1;
  return event;
}

/** Whether what is being read ends here; if so, it has ended. */
function isPop(walk: EventWalk): boolean {
  if (walk.events[walk.next]?.type !== EVENT_ID.POP) return false;
  walk.next += 1;
  return true;
}

/** @param indicator what stands before a value, and there is nothing behind it where the value is not there */
function valueOf(walk: EventWalk, indicator: RegExp): Value {
  const event = take(walk);
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return event.valueStart < 0 ? missing(event, walk, indicator) : scalarOf(event, walk);
    case EVENT_ID.MAPPING:
      return mappingOf(event, walk);
    case EVENT_ID.SEQUENCE:
      return sequenceOf(event, walk);
    default:
      throw unknown;
  }
}

function mappingOf(event: YamlCollectionEvent, walk: EventWalk): MappingValue {
  const start = startOf(event, walk);
  const entries = new Map<string, Value>();
  while (!isPop(walk)) {
    const key = keyOf(walk);
    if (entries.has(key)) throw unknown;
    entries.set(key, valueOf(walk, colon));
  }
  return { kind: "mapping", start, entries };
}

function keyOf(walk: EventWalk): string {
  const event = take(walk);
  if (event.type !== EVENT_ID.SCALAR || event.valueStart < 0 || isMergeKey(event, walk)) throw unknown;
  return String(scalarOf(event, walk).value);
}

function isMergeKey({ style, valueStart, valueEnd }: YamlScalarEvent, { text }: EventWalk): boolean {
  return style === SCALAR_STYLE.PLAIN && valueEnd - valueStart === 2 && text.startsWith("<<", valueStart);
}

function sequenceOf(event: YamlCollectionEvent, walk: EventWalk): SequenceValue {
  const start = startOf(event, walk);
  const items: Value[] = [];
  while (!isPop(walk)) items.push(valueOf(walk, dash));
  return { kind: "sequence", start, items };
}

function startOf(event: YamlCollectionEvent, walk: EventWalk): number {
  refuseProperties(event);
  walk.end = event.start;
  return walk.base + event.start;
}

function scalarOf(event: YamlScalarEvent, walk: EventWalk): ScalarValue {
  refuseProperties(event);
  const { text, base } = walk;
  const start = base + beginningOf(event, walk);
  walk.end = event.valueEnd + (isQuoted(event) ? 1 : 0);
  const content = event.fast ? text.slice(event.valueStart, event.valueEnd) : getScalarValue(text, event);
  return { kind: "scalar", start, value: event.style === SCALAR_STYLE.PLAIN ? plainScalar(content) : content };
}

/** A value of which nothing is written: null, placed where it would begin. */
function missing(event: YamlScalarEvent, walk: EventWalk, indicator: RegExp): ScalarValue {
  refuseProperties(event);
  indicator.lastIndex = walk.end;
  if (!indicator.test(walk.text)) throw unknown;
  walk.end = indicator.lastIndex;
  return { kind: "scalar", start: walk.base + walk.end, value: null };
}

/** Events point to what is between the quotes, or below the indicator. */
function beginningOf(event: YamlScalarEvent, { text, end }: EventWalk): number {
  const { style, valueStart } = event;
  if (style === SCALAR_STYLE.PLAIN) return valueStart;
  return isQuoted(event) ? valueStart - 1 : indicatorBefore(text.slice(end, valueStart), end);
}

function isQuoted({ style }: YamlScalarEvent): boolean {
  return style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
}

/** Where `|` or `>` stands between the key, or whatever came before, and the text below. */
function indicatorBefore(between: string, from: number): number {
  const [before] = /^[^|>#]*/.exec(between) ?? [""];
  if (before.length === between.length || between[before.length] === "#") throw unknown;
  return from + before.length;
}

function refuseProperties({ anchorStart, tagStart }: YamlScalarEvent | YamlCollectionEvent): void {
  if (anchorStart >= 0 || tagStart >= 0) throw unknown;
}
