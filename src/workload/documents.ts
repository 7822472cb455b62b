/** Manifests: texts with Kubernetes objects in them, YAML or JSON, and the objects with their places. */
import { readJson } from "./json.ts";
import { limits } from "./limits.ts";
import { type Problem, SyntaxProblem } from "./problem.ts";
import { markLength, type SourceText, sourceText } from "./source-text.ts";
import type { Position } from "./types.ts";
import {
  isNull,
  itemsAt,
  type MappingValue,
  type SequenceValue,
  sortOf,
  textAt,
  type Value,
  valueAt,
} from "./value.ts";
import { type Budget, readYaml } from "./yaml.ts";
import { lineEnd, yamlParts } from "./yaml-parts.ts";

const tooMany = `there are more than ${limits.documents} documents; those from here on are not read`;

/** One Kubernetes object, as it is written. */
export interface ManifestDocument {
  readonly apiVersion: string;
  readonly kind: string;
  /** Where the object begins. */
  readonly source: Position;
  readonly root: MappingValue;
  /** The text that it is part of. */
  readonly text: SourceText;
}

export interface ManifestInput {
  readonly documents: readonly ManifestDocument[];
  /** Each document that could not be read, and why. */
  readonly problems: readonly Problem[];
}

/** The values of a text, whatever they mean. */
export interface ValueInput {
  readonly text: SourceText;
  readonly values: readonly Value[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the Kubernetes objects of a text; `file` is its path as the user gave it, or `-`. Lists give their items.
 * What cannot be read is a problem with its place, and the other documents are read all the same. Never throws.
 */
export function readManifests(text: string, file: string): ManifestInput {
  const input = readValues(text, file);
  const collection: DocumentCollection = {
    text: input.text,
    documents: [],
    problems: [...input.problems],
    full: false,
  };
  for (const value of input.values) collect(value, undefined, collection);
  const { documents, problems } = collection;
  return { documents, problems: problems.toSorted((one, other) => one.source.line - other.source.line) };
}

/** Reads the documents of a text, empty ones left out. Never throws. */
export function readValues(text: string, file: string): ValueInput {
  const source = sourceText(text, file);
  if (text.length > limits.textLength) {
    const message = `the text is longer than ${limits.textLength / 1024 / 1024} MiB`;
    return { text: source, values: [], problems: [{ source: source.position(0), message }] };
  }
  const json = looksLikeJson(text) ? readJsonValues(source) : undefined;
  if (json !== undefined && (json.problems.length === 0 || file.endsWith(".json"))) return json;
  const yaml = readYamlValues(source);
  return json !== undefined && yaml.problems.length > 0 ? json : yaml;
}

interface DocumentCollection {
  readonly text: SourceText;
  readonly documents: ManifestDocument[];
  readonly problems: Problem[];
  full: boolean;
}

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Adds an object, or the objects of a list; `implied` is what the items of a typed list need not say. */
function collect(value: Value, implied: TypeMeta | undefined, collection: DocumentCollection): void {
  const { text, documents, problems } = collection;
  if (isNull(value) || collection.full) return;
  const source = text.position(value.start);
  const refuse = (why: string) => problems.push({ source, message: `this is not a Kubernetes object: ${why}` });
  if (value.kind !== "mapping") {
    refuse(`it is ${sortOf(value)}`);
    return;
  }
  const meta = typeMetaOf(value, implied);
  if (typeof meta === "string") {
    refuse(meta);
  } else if (isList(meta.kind, value)) {
    for (const item of itemsAt(value, "items")) collect(item, impliedBy(meta), collection);
  } else if (documents.length === limits.documents) {
    collection.full = true;
    problems.push({ source, message: tooMany });
  } else {
    documents.push({ ...meta, source, root: value, text });
  }
}

/** What the object is, or why it cannot be told. */
function typeMetaOf(value: MappingValue, implied: TypeMeta | undefined): TypeMeta | string {
  const apiVersion = textAt(value, "apiVersion") ?? implied?.apiVersion ?? "";
  const kind = textAt(value, "kind") ?? implied?.kind ?? "";
  const items = valueAt(value, "items");
  if (kind === "") return "it has no kind";
  if (kind === "List" && items !== undefined && items.kind !== "sequence") return `its items are ${sortOf(items)}`;
  return apiVersion === "" ? "it has no apiVersion" : { apiVersion, kind };
}

function isList(kind: string, value: MappingValue): boolean {
  if (!kind.endsWith("List")) return false;
  return valueAt(value, "items")?.kind === "sequence" || isNull(value.entries.get("items"));
}

/** The items of a `PodList` are Pods, though the API leaves that out; those of a plain `List` can be anything. */
function impliedBy({ apiVersion, kind }: TypeMeta): TypeMeta | undefined {
  return kind === "List" ? undefined : { apiVersion, kind: kind.slice(0, -"List".length) };
}

/** A text that begins as JSON objects do; whether it is JSON to its end shows when it is read. */
function looksLikeJson(text: string): boolean {
  return /^\ufeff?\s*\{\s*["}]/.test(text);
}

function readJsonValues(text: SourceText): ValueInput {
  const values: Value[] = [];
  const mistakes: SyntaxProblem[] = [];
  const problems = catching(text, "", () => readJson(text.text, markLength(text.text), values, mistakes));
  return { text, values, problems: [...mistakes.map((mistake) => problemOf(mistake, text, "")), ...problems] };
}

function readYamlValues(text: SourceText): ValueInput {
  const values: Value[] = [];
  const problems: Problem[] = [];
  const budget: Budget = { repeatedValues: limits.repeatedValues, mistakes: [] };
  let parts = 0;
  for (const { start, end } of yamlParts(text.text)) {
    parts += 1;
    if (parts > limits.documents) {
      problems.push({ source: text.position(start), message: tooMany });
      break;
    }
    const part = text.text.slice(start, end);
    const broken = catching(text, part, () => values.push(...readYamlDocument(part, start, budget)));
    problems.push(...budget.mistakes.splice(0).map((mistake) => problemOf(mistake, text, "")), ...broken);
  }
  return { text, values, problems };
}

function catching(text: SourceText, part: string, read: () => void): Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return [problemOf(error, text, part)];
  }
}

function problemOf({ offset, message }: SyntaxProblem, text: SourceText, part: string): Problem {
  const hint = part.includes("{{")
    ? "; this looks like a template: render it first, for example with helm template"
    : "";
  return { source: text.position(offset), message: `${message}${hint}` };
}

// Long lists, item by item. `kubectl get -o yaml` prints all objects of a cluster as one document, and the syntax tree
// of such a document takes a hundred times its size; the tree of one item does not.

/**
 * Reads one YAML document, as {@link readYaml} does. If it is a mapping with a block sequence under `items`, what comes
 * before the items, each item, and what comes after them are read for themselves. Where that fails, because an alias
 * reaches from one to another or because of an error, the document is read as a whole, and that is what counts.
 * @throws SyntaxProblem for the first thing that is wrong
 */
export function readYamlDocument(part: string, base: number, budget: Budget): Value[] {
  const cuts = cutsOf(part);
  const { repeatedValues } = budget;
  const mistakes = budget.mistakes.length;
  const list = cuts === undefined ? undefined : readCut(part, base, cuts, budget);
  if (list !== undefined) return [list];
  budget.repeatedValues = repeatedValues;
  budget.mistakes.length = mistakes;
  return readYaml(part, base, budget);
}

/** Offsets in the part: where each item begins, and where the last one ends. */
interface Cuts {
  readonly items: readonly number[];
  readonly end: number;
}

/** Where the items are, going by indentation alone; `undefined` where that does not tell. */
function cutsOf(part: string): Cuts | undefined {
  const key = /(?:^|\n)items:[ \t]*\r?\n/.exec(part);
  if (key === null) return undefined;
  const beginning = /( *)(?:(#|\r?\n)|(-[ \r\n])|)/y;
  const items: number[] = [];
  let indent: number | undefined;
  let at = key.index + key[0].length;
  for (; at < part.length; at = lineEnd(part, at)) {
    beginning.lastIndex = at;
    const [, { length } = "", isFiller, isItem] = beginning.exec(part) ?? [];
    if (isFiller || (indent !== undefined && length > indent)) continue;
    if (!isItem) break;
    if (indent !== undefined && length < indent) return undefined;
    indent = length;
    items.push(at);
  }
  // What follows the items stands at the very beginning of a line; anything else is for the library to judge.
  return items.length === 0 || /^[ \t]/.test(part.slice(at, at + 1)) ? undefined : { items, end: at };
}

const empty: MappingValue = { kind: "mapping", start: 0, entries: new Map() };

function readCut(part: string, base: number, { items, end }: Cuts, budget: Budget): Value | undefined {
  const [first = end] = items;
  try {
    const head = readMapping(part.slice(0, first), base, budget);
    const tail = end === part.length ? empty : readMapping(part.slice(end), base + end, budget);
    if (head === undefined || tail === undefined || !isNull(head.entries.get("items"))) return undefined;
    const sequence = readItems(part, base, { items, end }, budget);
    return sequence && joined(head, sequence, tail);
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined;
    throw error;
  }
}

function readItems(part: string, base: number, { items, end }: Cuts, budget: Budget): SequenceValue | undefined {
  const values: Value[] = [];
  let start = base;
  for (const [index, at] of items.entries()) {
    const [value, ...others] = readYaml(part.slice(at, items[index + 1] ?? end), base + at, budget);
    if (value?.kind !== "sequence" || value.items.length !== 1 || others.length > 0) return undefined;
    if (index === 0) start = value.start;
    values.push(...value.items);
  }
  return { kind: "sequence", start, items: values };
}

function readMapping(part: string, base: number, budget: Budget): MappingValue | undefined {
  const [value, ...others] = readYaml(part, base, budget);
  return value?.kind === "mapping" && others.length === 0 ? value : undefined;
}

/** The mapping in one; `undefined` if a key is on both sides of the items. */
function joined(head: MappingValue, items: SequenceValue, tail: MappingValue): MappingValue | undefined {
  const entries = new Map([...head.entries, ["items", items] as const, ...tail.entries]);
  return entries.size === head.entries.size + tail.entries.size ? { ...head, entries } : undefined;
}
