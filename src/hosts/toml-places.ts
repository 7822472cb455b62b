/** Where things stand in a TOML document that has been parsed already: the parser gives values, but not their places. */
import { parse } from "smol-toml";

/** Keys and, within arrays, positions from the document's root on. */
export type TomlPath = readonly (string | number)[];

/** Offsets in UTF-16 units; the end is behind the last. */
export interface TomlSpan {
  readonly start: number;
  readonly end: number;
}

/** `[a.b]` or `[[a.b]]`, in the order of the document. */
export interface TableHeader extends TomlSpan {
  readonly kind: "table" | "array";
  /** The keys as they are written, without positions. */
  readonly keys: readonly string[];
  readonly path: TomlPath;
}

export interface TomlPlaces {
  readonly headers: readonly TableHeader[];
  /** The key that a path ends with, or the array's element. */
  key(path: TomlPath): TomlSpan | undefined;
  value(path: TomlPath): TomlSpan | undefined;
}

/** @param text sound TOML; of anything else, what comes before it goes wrong is found */
export function locate(text: string): TomlPlaces {
  const keys = new Map<string, TomlSpan>();
  /** Tables that have no heading of their own, by the first heading below them. */
  const implied = new Map<string, TomlSpan>();
  const values = new Map<string, TomlSpan>();
  const headers: TableHeader[] = [];
  const counts = new Map<string, number>();
  let at = 0;

  const rest = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, "sy");
    sticky.lastIndex = at;
    const found = sticky.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const blanks = () => rest(/(?:[ \t\r\n]|#[^\n]*)*/);

  function dottedKey(): { name: string; span: TomlSpan }[] {
    const parts: { name: string; span: TomlSpan }[] = [];
    for (;;) {
      rest(/[ \t]*/);
      const start = at;
      const raw = rest(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+/);
      if (raw === "") return parts;
      parts.push({ name: keyName(raw), span: { start, end: at } });
      if (rest(/[ \t]*\./) === "") return parts;
    }
  }

  /** Below an array of tables, what follows belongs to the last of them. */
  function resolved(names: readonly string[]): (string | number)[] {
    const path: (string | number)[] = [];
    for (const name of names) {
      path.push(name);
      const count = counts.get(keyOf(path));
      if (count !== undefined) path.push(count - 1);
    }
    return path;
  }

  function header(): TomlPath {
    const start = at;
    const kind = rest(/\[\[?/).length === 2 ? "array" : "table";
    const parts = dottedKey();
    rest(/[ \t]*\]{0,2}/);
    const names = parts.map(({ name }) => name);
    const last = names.at(-1) ?? "";
    let path = resolved(names);
    if (kind === "array") {
      const before = [...resolved(names.slice(0, -1)), last];
      const count = (counts.get(keyOf(before)) ?? 0) + 1;
      counts.set(keyOf(before), count);
      path = [...before, count - 1];
    }
    const span = { start, end: at };
    headers.push({ kind, keys: names, path, ...span });
    if (!keys.has(keyOf(path))) keys.set(keyOf(path), span);
    for (let length = path.length - 1; length > 0; length -= 1) {
      const above = keyOf(path.slice(0, length));
      if (!implied.has(above)) implied.set(above, span);
    }
    return path;
  }

  function entry(table: TomlPath): void {
    const parts = dottedKey();
    let path = table;
    for (const { name, span } of parts) {
      path = [...path, name];
      if (!keys.has(keyOf(path))) keys.set(keyOf(path), span);
    }
    rest(/[ \t]*=[ \t]*/);
    value(path);
  }

  function value(path: TomlPath): void {
    const start = at;
    if (text[at] === "[") list(path);
    else if (text[at] === "{") inlineTable(path);
    else {
      rest(/"""(?:[^\\]|\\.)*?"{3,5}|'''.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^,\]}\n#]*/);
    }
    const end = start + text.slice(start, at).trimEnd().length;
    values.set(keyOf(path), { start, end });
  }

  function list(path: TomlPath): void {
    at += 1;
    for (let position = 0; at < text.length; position += 1) {
      blanks();
      if (rest(/\]/) !== "") return;
      const start = at;
      value([...path, position]);
      keys.set(keyOf([...path, position]), { start, end: at });
      blanks();
      if (rest(/,/) === "" && text[at] !== "]") return;
    }
  }

  function inlineTable(path: TomlPath): void {
    at += 1;
    while (at < text.length) {
      blanks();
      if (rest(/\}/) !== "") return;
      entry(path);
      blanks();
      if (rest(/,/) === "" && text[at] !== "}") return;
    }
  }

  let table: TomlPath = [];
  if (text.startsWith("\ufeff")) at = 1;
  for (;;) {
    blanks();
    if (at >= text.length) break;
    const before = at;
    if (text[at] === "[") table = header();
    else entry(table);
    if (at === before) break;
  }
  return {
    headers,
    key: (path) => keys.get(keyOf(path)) ?? implied.get(keyOf(path)),
    value: (path) => values.get(keyOf(path)),
  };
}

function keyOf(path: TomlPath): string {
  return JSON.stringify(path);
}

function keyName(raw: string): string {
  if (raw.startsWith("'")) return raw.slice(1, -1);
  if (!raw.startsWith('"')) return raw;
  if (!raw.includes("\\")) return raw.slice(1, -1);
  try {
    return Object.keys(parse(`${raw} = 0`))[0] ?? raw;
  } catch {
    return raw;
  }
}
