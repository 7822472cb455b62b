/** The two kinds of fixes: set an image, and set a pull policy. */
import { type MappingValue, type SourceText, type Value, type YamlPart, yamlParts } from "../../workload/index.ts";
import type { Edit, Fix } from "../types.ts";
import { applyEdits } from "./edits.ts";
import { type EntryText, type MappingText, mappingText } from "./mapping-text.ts";
import { type ScalarStyle, scalarText, writtenAs } from "./scalar-text.ts";

/** The mapping that has an image: a container, an image volume, a Compose service, an OpenFaaS function. */
export interface ImageField {
  readonly value: MappingValue;
  /** Where it is in its object: `spec.template.spec.containers[0]`, `services.web`. */
  readonly path: string;
  /** `image`, or `reference` in an image volume. */
  readonly imageKey: string;
}

export interface PolicyField extends ImageField {
  /** `imagePullPolicy`; `pullPolicy` in an image volume, `pull_policy` in Compose. */
  readonly policyKey: string;
}

/** A fix, or half a sentence on why there is none: `the image has a variable in it`. */
export type FixAttempt =
  | { readonly fix: Fix; readonly refused?: undefined }
  | { readonly fix?: undefined; readonly refused: string };

/**
 * The fix that sets the pull policy of a container: it replaces the one that is there, or writes it after the
 * image. `policy` is written unchanged. A policy that comes from an anchor is changed there, and {@link planFixes} refuses
 * that unless all users of the anchor get the same one; if it comes by a merge key, the container then gets a policy
 * of its own. Never throws.
 */
export function setPullPolicy(source: SourceText, field: PolicyField, policy: string): FixAttempt {
  const { value: mapping, policyKey } = field;
  const refused = templateAt(source, mapping.start);
  if (refused !== undefined) return { refused };
  const written = mappingText(source.text, mapping.start);
  if (written === undefined) return { refused: "it is not clear where to write the pull policy" };
  const value = mapping.entries.get(policyKey);
  const own = written.entries.find(({ key }) => key === policyKey);
  if (own !== undefined && own.value !== "none") return replacement(source, field, policyKey, value, policy);
  const added = own === undefined ? addition(source, field, written, policy) : filling(source, own, policy);
  if (added === undefined) return { refused: "there is no line after which the pull policy can be written" };
  const isMerged = own === undefined && value !== undefined;
  const shared = isMerged ? replacement(source, field, policyKey, value, policy).fix : undefined;
  return { fix: shared === undefined ? fixOf(field, policyKey, policy, added) : { ...shared, otherwise: added } };
}

/** A new entry after the image, or else after the name or the merge key. */
function addition(source: SourceText, field: PolicyField, written: MappingText, policy: string): Edit[] | undefined {
  const behind = [field.imageKey, "name", "<<"];
  const insertions = insertEntry(source.text, written, field.policyKey, policy, behind);
  return insertions?.map((insertion) => inserting(source, insertion));
}

/** A value for a key that has none. */
function filling(source: SourceText, { valueFrom }: EntryText, policy: string): Edit[] | undefined {
  return valueFrom === undefined ? undefined : [inserting(source, { at: valueFrom, text: ` ${policy}` })];
}

/**
 * The fix that replaces the image, in the same style. Where the image comes from an
 * anchor or a merge key, it is changed there: see {@link setPullPolicy}. Never throws.
 */
export function setImage(source: SourceText, field: ImageField, image: string): FixAttempt {
  const refused = templateAt(source, field.value.start);
  if (refused !== undefined) return { refused };
  const value = field.value.entries.get(field.imageKey);
  if (value?.kind === "scalar" && String(value.value).includes("$"))
    return { refused: "the image has a variable in it" };
  return replacement(source, field, field.imageKey, value, image);
}

/** Where a scalar is: the mapping that has it, and where that is in its object. */
export interface ScalarField {
  readonly value: MappingValue;
  readonly path: string;
  readonly key: string;
}

/**
 * The fix that replaces one scalar, in the same style; in quotes where the plain text would be no string. The text around
 * it may be a template. Never throws.
 */
export function setScalar(source: SourceText, { value, path, key }: ScalarField, wanted: string): FixAttempt {
  return replacement(source, { value, path, imageKey: key }, key, value.entries.get(key), wanted);
}

/**
 * The fix that replaces parts of a string and leaves the rest of it as it is written; `start` and `end` of each are
 * offsets in the string. The text around it may be a template. Never throws.
 */
export function setParts(
  { text, file }: SourceText,
  field: ScalarField,
  parts: readonly Omit<Edit, "file">[],
): FixAttempt {
  const { value: mapping, path, key } = field;
  const value = mapping.entries.get(key);
  if (value?.kind !== "scalar" || typeof value.value !== "string") return { refused: `${key} is not a string` };
  const scalar = scalarText(text, value);
  const at = scalar === undefined ? -1 : text.indexOf(value.value, scalar.start);
  if (scalar === undefined || at < 0 || at + value.value.length > scalar.end) {
    return { refused: `${key} is written in a way that cannot be changed safely` };
  }
  const moved = (by: number) =>
    parts.map(({ start, end, text: own }) => ({ file, start: start + by, end: end + by, text: own }));
  const wanted = applyEdits(value.value, moved(0));
  return { fix: fixOf({ value: mapping, path, imageKey: key }, key, wanted, moved(at)) };
}

function replacement(
  { text, file }: SourceText,
  field: ImageField,
  key: string,
  value: Value | undefined,
  wanted: string,
): FixAttempt {
  if (value?.kind !== "scalar") return { refused: `${key} is not a string` };
  if (value.value === wanted) return { refused: `${key} is ${wanted} already` };
  const scalar = scalarText(text, value);
  if (scalar === undefined) return { refused: `${key} is written in a way that cannot be changed safely` };
  const edit = { file, start: scalar.start, end: scalar.end, text: writtenAs(scalar.style, wanted) };
  return { fix: fixOf(field, key, wanted, [edit]) };
}

function fixOf({ value: { start }, path }: ImageField, key: string, value: string, edits: readonly Edit[]): Fix {
  return { description: `set ${key} to ${value}`, edits, changes: [{ start, path, key, value }] };
}

function inserting({ file }: SourceText, { at, text }: Insertion): Edit {
  return { file, start: at, end: at, text };
}

/** The template documents of each text, searched once: the question comes once for each container. */
const templates = new WeakMap<SourceText, readonly YamlPart[]>();

/** A document with braces is a template: the effect of an edit on the rendered text is not known. */
export function templateAt(source: SourceText, at: number): string | undefined {
  let parts = templates.get(source);
  if (parts === undefined) {
    const { text } = source;
    parts = text.includes("{{") ? [...yamlParts(text)].filter((part) => hasBraces(text, part)) : [];
    templates.set(source, parts);
  }
  const isTemplate = parts.some(({ start, end }) => start <= at && at < end);
  return isTemplate ? "the document is a template: it has {{ in it" : undefined;
}

function hasBraces(text: string, { start, end }: YamlPart): boolean {
  return text.slice(start, end).includes("{{");
}

// Where a new entry goes in a mapping, and how it is written in the style of its neighbours.

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * The insertions that add a scalar entry after the first of the keys that exists, or after the first entry of one
 * line; `undefined` where there is no such entry.
 */
function insertEntry(
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
