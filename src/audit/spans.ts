/** The exact places of values in a text: the manifest readers know only where a value begins. */
import type { MappingValue, ScalarValue, SourceText, Value } from "../workload/index.ts";
import type { Region } from "./types.ts";

/** A range of a text: offsets in UTF-16 units, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A scalar as it is written, its quotes included. */
export function scalarSpan(text: string, { start, value }: ScalarValue): Span {
  const first = text[start];
  if (first === '"') return { start, end: matchEnd(text, start, /"(?:[^"\\]|\\[^])*"/y) };
  if (first === "'") return { start, end: matchEnd(text, start, /'(?:[^']|'')*'/y) };
  if (first === "|" || first === ">") return { start, end: blockEnd(text, start) };
  if (typeof value === "string" && text.startsWith(value, start)) return { start, end: start + value.length };
  return { start, end: matchEnd(text, start, /[^\s,[\]{}#][^\r\n,[\]{}#]*(?<=\S)/y) };
}

/** A value: a scalar as it is written, or the first line of anything else. */
export function valueSpan(text: string, value: Value): Span {
  return value.kind === "scalar" ? scalarSpan(text, value) : { start: value.start, end: lineEndAt(text, value.start) };
}

/** The first key of a mapping, without its colon: what a finding points at when the mapping lacks something. */
export function firstKeySpan(text: string, { start }: MappingValue): Span {
  const opening = /\{(?:\s|#.*\n)*/y;
  const at = text[start] === "{" ? matchEnd(text, start, opening) : start;
  return {
    start: at,
    end: matchEnd(text, at, /"(?:[^"\\]|\\[^])*"|'(?:[^']|'')*'|[^\s:{}[\],#](?:[^\s:{}[\],]|:(?=\S))*/y),
  };
}

export function regionOf(text: SourceText, { start, end }: Span): Region {
  const from = text.position(start);
  const to = text.position(end);
  return { file: text.file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column, start, end };
}

/** The end of the match at an offset; one character further where nothing matches. */
function matchEnd(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  const length = pattern.exec(text)?.[0].length ?? 0;
  return Math.min(text.length, at + Math.max(1, length));
}

/**
 * The end of a block scalar: its lines are those that are indented as its first one is, and blank ones between them.
 */
function blockEnd(text: string, start: number): number {
  let end = lineEndAt(text, start);
  const line = /\r?\n( *)([^\r\n]*)/y;
  let indent: number | undefined;
  for (let at = end; ; at = line.lastIndex) {
    line.lastIndex = at;
    const match = line.exec(text);
    if (match === null) return end;
    const [{ length }, { length: spaces } = "", content] = match;
    if (content === "") continue;
    indent ??= spaces;
    if (spaces < indent || indent === 0) return end;
    end = at + length;
  }
}

function lineEndAt(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  if (feed < 0) return text.length;
  return text[feed - 1] === "\r" ? feed - 1 : feed;
}
