/** One JSON document after another, as `kubectl get -o json` and `jq` print them, with the place of every value. */
import { limitMessages, limits } from "./limits.ts";
import { keyTwice, SyntaxProblem } from "./problem.ts";
import type { Value } from "./value.ts";

const blank = /[ \t\r\n]*/y;
const unescaped = /[^"\\\u0000-\u001f]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const word = /true|false|null/y;
const words: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Where reading has come to. */
interface Cursor {
  readonly text: string;
  at: number;
  values: number;
  readonly mistakes: SyntaxProblem[];
}

/**
 * Reads JSON documents from an offset to the end of the text. Keys that are there twice go to `mistakes`: as for
 * kubectl, the last one counts.
 * @throws SyntaxProblem for the first thing that is wrong; what was read before it is in `values`
 */
export function readJson(text: string, from: number, values: Value[], mistakes: SyntaxProblem[]): void {
  const cursor: Cursor = { text, at: from, values: 0, mistakes };
  for (skipBlank(cursor); cursor.at < text.length; skipBlank(cursor)) {
    values.push(readValue(cursor, 0));
    if (values.length > limits.documents) return;
  }
}

function readValue(cursor: Cursor, depth: number): Value {
  skipBlank(cursor);
  if (depth > limits.depth) throw new SyntaxProblem(cursor.at, limitMessages.depth);
  cursor.values += 1;
  if (cursor.values > limits.values) throw new SyntaxProblem(cursor.at, limitMessages.values);
  switch (cursor.text[cursor.at]) {
    case "{":
      return readObject(cursor, depth);
    case "[":
      return readArray(cursor, depth);
    default:
      return readScalar(cursor);
  }
}

function readObject(cursor: Cursor, depth: number): Value {
  const start = cursor.at;
  const entries = new Map<string, Value>();
  for (let more = opens(cursor, "}"); more; more = continues(cursor, "}")) {
    skipBlank(cursor);
    const keyAt = cursor.at;
    const key = readString(cursor, "a key in double quotes");
    if (entries.has(key) && cursor.mistakes.length < limits.mistakes) cursor.mistakes.push(keyTwice(key, keyAt));
    skipBlank(cursor);
    if (cursor.text[cursor.at] !== ":") throw unexpected(cursor, "a colon");
    cursor.at += 1;
    entries.set(key, readValue(cursor, depth + 1));
  }
  return { kind: "mapping", start, entries };
}

function readArray(cursor: Cursor, depth: number): Value {
  const start = cursor.at;
  const items: Value[] = [];
  for (let more = opens(cursor, "]"); more; more = continues(cursor, "]")) items.push(readValue(cursor, depth + 1));
  return { kind: "sequence", start, items };
}

/** Steps over the opening bracket; false if the collection is empty, and then over its end too. */
function opens(cursor: Cursor, close: "}" | "]"): boolean {
  cursor.at += 1;
  skipBlank(cursor);
  if (cursor.text[cursor.at] !== close) return true;
  cursor.at += 1;
  return false;
}

/** Steps over a comma, or over the closing bracket: then false. */
function continues(cursor: Cursor, close: "}" | "]"): boolean {
  skipBlank(cursor);
  const character = cursor.text[cursor.at];
  if (character !== "," && character !== close) throw unexpected(cursor, `a comma or ${close}`);
  cursor.at += 1;
  return character === ",";
}

function readScalar(cursor: Cursor): Value {
  const start = cursor.at;
  if (cursor.text[start] === '"') return { kind: "scalar", start, value: readString(cursor, "a string") };
  const digits = take(cursor, number);
  if (digits !== undefined) return { kind: "scalar", start, value: Number(digits) };
  const name = take(cursor, word);
  if (name === undefined) throw unexpected(cursor, "a value");
  return { kind: "scalar", start, value: words.get(name) ?? null };
}

function readString(cursor: Cursor, wanted: string): string {
  const start = cursor.at;
  if (cursor.text[start] !== '"') throw unexpected(cursor, wanted);
  let escapes = false;
  for (cursor.at += 1; take(cursor, unescaped) !== undefined && cursor.text[cursor.at] === "\\"; cursor.at += 2)
    escapes = true;
  if (cursor.text[cursor.at] !== '"') throw unexpected(cursor, "the end of the string, or an escaped character,");
  cursor.at += 1;
  return escapes ? unescape(cursor.text.slice(start, cursor.at), start) : cursor.text.slice(start + 1, cursor.at - 1);
}

function unescape(quoted: string, start: number): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw new SyntaxProblem(start, "this string has an escape sequence that JSON does not know");
  }
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}

function skipBlank(cursor: Cursor): void {
  blank.lastIndex = cursor.at;
  cursor.at += blank.exec(cursor.text)?.[0].length ?? 0;
}

function unexpected({ text, at }: Cursor, wanted: string): SyntaxProblem {
  const found =
    at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : "the end of the text";
  return new SyntaxProblem(at, `${wanted} is expected here, not ${found}`);
}
