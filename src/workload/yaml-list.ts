/**
 * Long lists, item by item. `kubectl get -o yaml` prints all objects of a cluster as one document, and the syntax tree
 * of such a document takes a hundred times its size; the tree of one item does not.
 */
import { SyntaxProblem } from "./problem.ts";
import { isNull, type MappingValue, type SequenceValue, type Value } from "./value.ts";
import { type Budget, readYaml } from "./yaml.ts";
import { lineEnd } from "./yaml-parts.ts";

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
