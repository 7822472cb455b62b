/** One YAML document, read with the meaning that Kubernetes gives it. */

import {
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Scalar,
  Schema,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import { limitMessages, limits } from "./limits.ts";
import { keyTwice, SyntaxProblem } from "./problem.ts";
import { plainScalar, taggedScalar } from "./scalar.ts";
import { type MappingValue, sortOf, type Value } from "./value.ts";
import { boundedTokens, refuseEndless, withoutTraces } from "./yaml-bounds.ts";
import { readPlainYaml } from "./yaml-events.ts";

/** Scalars are left as they are written, so that they can be given Kubernetes' meaning rather than the library's. */
const schema = new Schema({ schema: "failsafe", resolveKnownTags: false });

/** What YAML 1.2 (5.1) keeps out of every text, and what a text in another encoding than UTF-8 is full of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Duplicate keys are found here and not by the library, which compares each key with every other. */
const options = { version: "1.1", schema, uniqueKeys: false, logLevel: "silent" } as const;

interface Anchor {
  readonly value: Value;
  /** How many values it consists of, repetitions included. */
  readonly weight: number;
  /** Levels below it. */
  readonly height: number;
}

/** What the documents of one text may still do. */
export interface Budget {
  /** Values that aliases and merge keys may yet repeat. */
  repeatedValues: number;
  /** What is wrong although its values are known, in order: keys that are there twice. */
  readonly mistakes: SyntaxProblem[];
}

/** What is known while a document is read. */
interface DocumentContext {
  /** From an offset in what the library reads to the one in the whole text. */
  readonly place: (offset: number) => number;
  readonly anchors: Map<string, Anchor>;
  values: number;
  readonly budget: Budget;
  deepest: number;
}

/**
 * Reads the YAML document (usually one) in a part of a text. `base` is the part's offset in the whole text.
 * @throws SyntaxProblem for the first thing that is wrong
 */
export function readYaml(part: string, base: number, budget: Budget): Value[] {
  const control = controlCharacter.exec(part);
  if (control !== null) throw new SyntaxProblem(base + control.index, "control characters are not allowed here");
  refuseEndless(part, base);
  return readPlainYaml(part, base) ?? readYamlTree(part, base, budget);
}

/** As {@link readYaml}, in the way that knows all of YAML, and says what is wrong. */
export function readYamlTree(part: string, base: number, budget: Budget): Value[] {
  return withoutTraces(() => readDocuments(part, base, budget));
}

/** Quoted scalars of one document that lack indentation, at most: the document is read anew for each. */
const mostWrapped = 200;

function readDocuments(part: string, base: number, budget: Budget): Value[] {
  const { repeatedValues } = budget;
  const mistakes = budget.mistakes.length;
  let padded = unpadded(part);
  for (let round = 0; ; round += 1) {
    const values: Value[] = [];
    const error = readPadded(padded, base, budget, values);
    if (error === undefined) return values;
    const at = Math.min(error.pos[0], padded.text.length);
    const quoteMark = /^Missing closing (['"])quote/.exec(error.message)?.[1];
    const next =
      quoteMark === undefined || round === mostWrapped ? undefined : withIndentedQuote(padded, at, quoteMark);
    if (next === undefined) throw new SyntaxProblem(base + padded.original(at), messageOf(error));
    padded = next;
    budget.repeatedValues = repeatedValues;
    budget.mistakes.length = mistakes;
  }
}

/** The first error of the library, if there is one. */
function readPadded(padded: PaddedText, base: number, budget: Budget, values: Value[]): YAMLParseError | undefined {
  const { text } = padded;
  for (const { errors, contents } of new Composer(options).compose(boundedTokens(text, base), true, text.length)) {
    if (errors[0] !== undefined) return errors[0];
    values.push(...valuesOf(contents, padded, base, budget));
  }
  return undefined;
}

function valuesOf(contents: unknown, { original }: PaddedText, base: number, budget: Budget): Value[] {
  if (contents === null) return [];
  const place = (offset: number) => base + original(offset);
  const reading: DocumentContext = { place, budget, anchors: new Map(), values: 0, deepest: 0 };
  return [valueOf(contents, base, 0, reading)];
}

/** The value of a node. One that is not there (`? key` without a value) is null, and is placed at `parent`. */
function valueOf(node: unknown, parent: number, depth: number, reading: DocumentContext): Value {
  const start = startOf(node, parent, reading);
  descend(depth, start, reading);
  if (isAlias(node)) return anchored(node.source, start, depth, reading);
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  if (anchor === undefined) return ownValueOf(node, start, depth, reading);
  const { values, deepest } = reading;
  reading.deepest = depth;
  const value = ownValueOf(node, start, depth, reading);
  reading.anchors.set(anchor, { value, weight: reading.values - values, height: reading.deepest - depth });
  reading.deepest = Math.max(reading.deepest, deepest);
  return value;
}

function descend(depth: number, start: number, reading: DocumentContext): void {
  if (depth > limits.depth) throw new SyntaxProblem(start, limitMessages.depth);
  if (depth > reading.deepest) reading.deepest = depth;
}

function startOf(node: unknown, parent: number, { place }: DocumentContext): number {
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return offset === undefined ? parent : place(offset);
}

function ownValueOf(node: unknown, start: number, depth: number, reading: DocumentContext): Value {
  reading.values += 1;
  if (isScalar(node)) return { kind: "scalar", start, value: scalarOf(node) };
  if (isMap(node)) return mappingOf(node, start, depth, reading);
  if (isSeq(node)) {
    return { kind: "sequence", start, items: node.items.map((item) => valueOf(item, start, depth + 1, reading)) };
  }
  return { kind: "scalar", start, value: null };
}

function mappingOf(node: YAMLMap, start: number, depth: number, reading: DocumentContext): MappingValue {
  const entries = new Map<string, Value>();
  const merged: Value[] = [];
  for (const { key, value } of node.items) {
    const at = startOf(key, start, reading);
    if (isMergeKey(key)) {
      merged.push(valueOf(value, at, depth + 1, reading));
      continue;
    }
    const name = keyOf(key, at, depth, reading);
    if (entries.has(name)) refuseTwice(name, at, reading);
    entries.set(name, valueOf(value, at, depth + 1, reading));
  }
  for (const source of merged) merge(source, entries, reading);
  return { kind: "mapping", start, entries };
}

/** kubectl takes the last of them: so its value is looked at, and the mistake told. */
function refuseTwice(name: string, at: number, { budget }: DocumentContext): void {
  if (budget.mistakes.length < limits.mistakes) budget.mistakes.push(keyTwice(name, at));
}

/** Kubernetes turns keys into text, whatever they are: `1` and `"1"` are the same key. */
function keyOf(node: unknown, start: number, depth: number, reading: DocumentContext): string {
  const key = valueOf(node, start, depth + 1, reading);
  if (key.kind !== "scalar") throw new SyntaxProblem(key.start, `a key must be a string, not ${sortOf(key)}`);
  return String(key.value);
}

/** `<<`: the entries of other mappings, which never replace those that are there (yaml.org/type/merge.html). */
function merge(source: Value, entries: Map<string, Value>, reading: DocumentContext): void {
  const mappings = source.kind === "sequence" ? source.items : [source];
  for (const mapping of mappings) {
    if (mapping.kind !== "mapping") {
      throw new SyntaxProblem(mapping.start, `only objects can be merged with <<, not ${sortOf(mapping)}`);
    }
    countRepeated(mapping.entries.size, source.start, reading);
    for (const [key, value] of mapping.entries) if (!entries.has(key)) entries.set(key, value);
  }
}

function anchored(name: string, start: number, depth: number, reading: DocumentContext): Value {
  const anchor = reading.anchors.get(name);
  if (anchor === undefined) throw new SyntaxProblem(start, `the alias *${name} has no anchor &${name} before it`);
  countRepeated(anchor.weight, start, reading);
  reading.values += anchor.weight;
  descend(depth + anchor.height, start, reading);
  return anchor.value;
}

function countRepeated(values: number, start: number, { budget }: DocumentContext): void {
  budget.repeatedValues -= values;
  if (budget.repeatedValues < 0) {
    throw new SyntaxProblem(start, limitMessages.repeated);
  }
}

function isMergeKey(node: unknown): boolean {
  return isScalar(node) && node.value === "<<" && node.type === "PLAIN" && node.tag === undefined;
}

function scalarOf(node: Scalar): string | number | boolean | null {
  const text = typeof node.value === "string" ? node.value : "";
  if (node.tag !== undefined && node.tag !== "?") return taggedScalar(node.tag, text);
  return node.type === "PLAIN" ? plainScalar(text) : text;
}

function messageOf({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === "RESOURCE_EXHAUSTION") return limitMessages.depth;
  return `${message.slice(0, 1).toLowerCase()}${message.slice(1, 300)}`;
}

// Quoted scalars whose further lines are not indented. Programs that wrap long lines write them, and kubectl, whose
// parser asks nothing of such lines, reads them; the library does not. So they are read with spaces before them: spaces
// at the beginning of a further line mean nothing.

interface PaddedText {
  readonly text: string;
  /** From an offset in it to the offset in what it was made of. */
  original(offset: number): number;
}

function unpadded(text: string): PaddedText {
  return { text, original: (offset) => offset };
}

/**
 * The text with the further lines of one quoted scalar indented.
 * @param broken an offset within, or at the end of, the last line that was read of the scalar
 * @returns `undefined` where the scalar does not end, or has no line that lacks indentation
 */
function withIndentedQuote(padded: PaddedText, broken: number, quote: string): PaddedText | undefined {
  const { text } = padded;
  const lineStart = text.lastIndexOf("\n", Math.max(0, broken - 1)) + 1;
  const end = endOfQuote(text, broken, quote);
  if (end === undefined) return undefined;
  // As far in as the line itself, its dashes and one more.
  const [{ length }] = /^[ ]*(?:[-?] +)*/.exec(text.slice(lineStart, broken)) ?? [""];
  const indent = " ".repeat(length + 1);
  const pieces: string[] = [];
  const added: { readonly at: number; readonly length: number }[] = [];
  let from = 0;
  let total = 0;
  for (let feed = text.indexOf("\n", broken); feed >= 0 && feed < end; feed = text.indexOf("\n", feed + 1)) {
    const at = feed + 1;
    pieces.push(text.slice(from, at), indent);
    total += indent.length;
    added.push({ at, length: total });
    from = at;
  }
  if (added.length === 0) return undefined;
  pieces.push(text.slice(from));
  return { text: pieces.join(""), original: (offset) => padded.original(withoutAdded(offset, added)) };
}

/** Where the quote closes; a document's marker at the beginning of a line is no part of a scalar. */
function endOfQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\\" && quote === '"') at += 1;
    else if (character === quote) {
      if (quote === '"' || text[at + 1] !== "'") return at;
      at += 1;
    }
  }
  return undefined;
}

/** @param added where something was put in, and how much up to there and with it; in order */
function withoutAdded(offset: number, added: readonly { readonly at: number; readonly length: number }[]): number {
  let before = 0;
  for (const { at, length } of added) {
    if (offset < at + before) return offset - before;
    // Within what was put in: where it was put.
    if (offset < at + length) return at;
    before = length;
  }
  return offset - before;
}
