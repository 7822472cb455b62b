/** Where in a document things are written. */
import type { ManifestDocument, Position, Value } from "../../workload/index.ts";

export type Path = readonly PropertyKey[];

/** The value at a path, or the innermost one around it that is there. */
function nearest({ root }: ManifestDocument, path: Path): Value {
  let found: Value = root;
  for (const step of path) {
    const next = childOf(found, step);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

/** The value at a path; `undefined` where it is missing. */
export function valueAtPath({ root }: ManifestDocument, path: Path): Value | undefined {
  let found: Value | undefined = root;
  for (const step of path) found = found && childOf(found, step);
  return found;
}

/** Where the value at a path begins; for one that is missing, where it would have to be. */
export function positionOf(document: ManifestDocument, path: Path): Position {
  return document.text.position(nearest(document, path).start);
}

/** Where the last key of a path is written: before its value, and nothing but punctuation and comments between them. */
export function keyPosition(document: ManifestDocument, path: Path): Position {
  const { text } = document.text;
  const { start } = nearest(document, path);
  const key = String(path.at(-1));
  const at = text.lastIndexOf(key, start);
  const isKey = at >= 0 && betweenKeyAndValue.test(text.slice(at + key.length, start));
  const quoted = isKey && /["']/.test(text[at - 1] ?? "");
  return document.text.position(isKey ? at - (quoted ? 1 : 0) : start);
}

/** Closing quote, colon, comments, a tag or an anchor; nothing at all where there is no value. */
const betweenKeyAndValue = /^(?:["']?\s*:\s*(?:#[^\n]*\n\s*)*(?:[&!]\S*\s*)*)?$/;

/** `spec.rules[2].pull`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w$-]+$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

function childOf(value: Value, step: PropertyKey): Value | undefined {
  if (value.kind === "mapping") return value.entries.get(String(step));
  return value.kind === "sequence" ? value.items[Number(step)] : undefined;
}
