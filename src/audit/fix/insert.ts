/** Where a new entry goes in a mapping, and how it is written in the style of its neighbours. */
import type { EntryText, MappingText } from "./mapping-text.ts";
import { type ScalarStyle, writtenAs } from "./scalar-text.ts";

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * The insertions that add a scalar entry after the first of the keys that exists, or after the first entry of one
 * line; `undefined` where there is no such entry.
 */
export function insertEntry(
  text: string,
  mapping: MappingText,
  key: string,
  value: string,
  behind: readonly string[],
): readonly Insertion[] | undefined {
  const wanted = behind.map((name) => mapping.entries.find((entry) => entry.key === name));
  const neighbour = [...wanted, ...mapping.entries].find((entry) => entry !== undefined && isBehindable(entry));
  if (neighbour === undefined) return undefined;
  return mapping.style === "block"
    ? [inBlock(text, mapping.indent, neighbour, `${key}: ${writtenAs("plain", value)}`)]
    : inFlow(text, neighbour, key, value);
}

function isBehindable({ value, valueFrom }: EntryText): boolean {
  return value !== "collection" && valueFrom !== undefined;
}

/** A line of its own, below the neighbour and its comments. */
function inBlock(text: string, indent: number, neighbour: EntryText, entry: string): Insertion {
  let at = lineBreakAt(text, neighbour.value === "block scalar" ? lastCharacter(text, neighbour.end) : neighbour.end);
  const comment = /\r?\n( *)#[^\r\n]*/y;
  for (;;) {
    comment.lastIndex = at;
    const match = comment.exec(text);
    if (match === null || (match[1]?.length ?? 0) <= indent) break;
    at = comment.lastIndex;
  }
  return { at, text: `${lineBreakNear(text, at)}${" ".repeat(indent)}${entry}` };
}

/** The line break that ends a block scalar is part of it. */
function lastCharacter(text: string, end: number): number {
  return text[end - 1] === "\n" ? end - 1 : end;
}

function inFlow(text: string, neighbour: EntryText, key: string, value: string): readonly Insertion[] {
  const { quote, keyStart, keyEnd, end } = neighbour;
  const colon = text.slice(keyEnd, text.indexOf(":", keyEnd) + 1);
  // Only after a quoted key may the value follow the colon directly.
  const blank = quote === "" || /[ \t]/.test(text[keyEnd + colon.length] ?? "") ? " " : "";
  const entry = `${quote}${key}${quote}${colon}${blank}${writtenAs(valueStyle(text, neighbour), value)}`;
  const beginning = text.slice(text.lastIndexOf("\n", keyStart) + 1, keyStart);
  const isOwnLine = keyStart > beginning.length && /^[ \t]*$/.test(beginning);
  return isOwnLine ? onOwnLine(text, end, beginning, entry) : [{ at: end, text: `,${blank}${entry}` }];
}

/** Quoted like the key, where the neighbour's value is quoted too, as in JSON. */
function valueStyle(text: string, { quote, end }: EntryText): ScalarStyle {
  const last = text[end - 1];
  if (quote === "" || (last !== '"' && last !== "'")) return "plain";
  return quote === '"' ? "double" : "single";
}

/** After the comma and the comment of the line, if any, so that the comment stays with its key. */
function onOwnLine(text: string, end: number, indent: string, entry: string): readonly Insertion[] {
  const rest = /([ \t]*,)?(?:[ \t]+#[^\r\n]*)?[ \t]*(?=\r?\n|$)/y;
  rest.lastIndex = end;
  const match = rest.exec(text);
  if (match === null) return [{ at: end, text: `, ${entry}` }];
  const line = `${lineBreakNear(text, end)}${indent}${entry}`;
  if (match[1] !== undefined) return [{ at: end + match[0].length, text: `${line},` }];
  if (match[0] === "") return [{ at: end, text: `,${line}` }];
  return [
    { at: end, text: "," },
    { at: end + match[0].length, text: line },
  ];
}

/** The end of the line, before its line break of any kind. */
function lineBreakAt(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  if (feed < 0) return text.length;
  return text[feed - 1] === "\r" ? feed - 1 : feed;
}

/** The next line break, or else the last one, or else that of Unix. */
function lineBreakNear(text: string, at: number): string {
  const next = text.indexOf("\n", at);
  const feed = next < 0 ? text.lastIndexOf("\n") : next;
  return text[feed - 1] === "\r" ? "\r\n" : "\n";
}
