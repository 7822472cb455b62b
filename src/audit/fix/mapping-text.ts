/** The text of one mapping: its keys and values with their places, parsed from its own text alone. */
import { CST, Parser } from "yaml";
import { lineEnd } from "../../workload/index.ts";

export interface MappingText {
  readonly style: "block" | "flow";
  /** Columns before its keys; only block mappings need them. */
  readonly indent: number;
  readonly entries: readonly EntryText[];
}

/** One key and its value. Offsets are those of the whole text. */
export interface EntryText {
  /** As it is read, without quotes. */
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly quote: "" | '"' | "'";
  /** After the colon and after an anchor or tag; absent without a colon. */
  readonly valueFrom: number | undefined;
  /** After the value; where there is none, {@link EntryText.valueFrom} or the end of the key. */
  readonly end: number;
  readonly value: "none" | "alias" | "scalar" | "block scalar" | "collection";
}

type FlowToken = CST.CollectionItem["value"];

/** Code units of a flow mapping, at most: a longer one is no container. */
const longestFlow = 1024 * 1024;

/** Reads the mapping at an offset of a {@link Value}; `undefined` where its text is not understood. */
export function mappingText(text: string, start: number): MappingText | undefined {
  return text[start] === "{" ? flowText(text, start) : blockText(text, start);
}

function flowText(text: string, start: number): MappingText | undefined {
  const end = flowEnd(text, start);
  const token = end === undefined ? undefined : firstValue(text.slice(start, end));
  if (token?.type !== "flow-collection") return undefined;
  return { style: "flow", indent: 0, entries: entriesOf(token.items, start) };
}

function blockText(text: string, start: number): MappingText | undefined {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  // An anchor or tag of the first key comes before it, and its column counts.
  const indent = text.slice(lineStart, start).replace(/(?:[&!][^\s,[\]{}]*[ ]+)+$/, "").length;
  const from = lineStart + indent;
  if (text.slice(lineStart, from).includes("\t")) return undefined;
  const piece = " ".repeat(indent) + text.slice(from, blockEnd(text, from, indent));
  const token = firstValue(piece);
  if (token?.type !== "block-map" || token.indent !== indent) return undefined;
  return { style: "block", indent, entries: entriesOf(token.items, from - indent) };
}

/** The beginning of the first line that is indented less than the mapping, or of the next document. */
function blockEnd(text: string, start: number, indent: number): number {
  const beginning = /( *)(?:(#|\r?\n)|(---|\.\.\.)(?=\s|$))?/y;
  let at = lineEnd(text, start);
  for (; at < text.length; at = lineEnd(text, at)) {
    beginning.lastIndex = at;
    const [, { length } = "", isFiller, isMarker] = beginning.exec(text) ?? [];
    if (!isFiller && (length < indent || (length === 0 && isMarker))) return at;
  }
  return at;
}

/** After the bracket that closes the collection at an offset; `undefined` where there is none. */
function flowEnd(text: string, start: number): number | undefined {
  const step = /"(?:[^"\\]|\\[^])*"|(?<=[\s,:[\]{}])'(?:[^']|'')*'|(?<=[\s,[\]{}])#.*|[[\]{}]|[^"'#[\]{}]+|[^]/y;
  let depth = 0;
  step.lastIndex = start;
  for (let [part] = step.exec(text) ?? []; part !== undefined; [part] = step.exec(text) ?? []) {
    if (part === "{" || part === "[") depth += 1;
    if (part === "}" || part === "]") depth -= 1;
    if (depth === 0) return step.lastIndex;
    if (step.lastIndex - start > longestFlow) return undefined;
  }
  return undefined;
}

function firstValue(piece: string): FlowToken {
  for (const token of new Parser().parse(piece)) if (token.type === "document") return token.value;
  return undefined;
}

function entriesOf(items: readonly CST.CollectionItem[], base: number): EntryText[] {
  return items.flatMap(({ key, sep, value }) => {
    const scalar = key ? CST.resolveAsScalar(key, false, () => {}) : null;
    if (!key || scalar === null) return [];
    const keyStart = base + key.offset;
    const keyEnd = keyStart + lengthOf(key);
    const colon = (sep ?? []).findLast(({ type }) => type === "map-value-ind" || type === "anchor" || type === "tag");
    const valueFrom = colon === undefined ? undefined : base + colon.offset + colon.source.length;
    const sort = sortOf(value);
    const end = value && sort !== "none" ? base + value.offset + lengthOf(value) : (valueFrom ?? keyEnd);
    const quote = key.type === "double-quoted-scalar" ? '"' : key.type === "single-quoted-scalar" ? "'" : "";
    return [{ key: scalar.value, keyStart, keyEnd, quote, valueFrom, end, value: sort }];
  });
}

/** The end of a collection is not needed: nothing is inserted after one. */
function lengthOf(token: NonNullable<FlowToken>): number {
  if (token.type !== "block-scalar") return "source" in token ? token.source.length : 0;
  return token.props.reduce((sum, prop) => sum + ("source" in prop ? prop.source.length : 0), token.source.length);
}

function sortOf(token: FlowToken): EntryText["value"] {
  switch (token?.type) {
    case "alias":
      return "alias";
    case "scalar":
      return token.source === "" ? "none" : "scalar";
    case "single-quoted-scalar":
    case "double-quoted-scalar":
      return "scalar";
    case "block-scalar":
      return "block scalar";
    default:
      return token ? "collection" : "none";
  }
}
