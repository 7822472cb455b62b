/** TOML files, with the places of what stands in them. */
import { parse } from "smol-toml";
import { errnoOf, errorText, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { readConfigFile } from "../support/input-file.ts";
import { locate, type TomlPath, type TomlPlaces, type TomlSpan } from "./toml-places.ts";

const deepest = 32;

export type TomlTable = Readonly<Record<string, unknown>>;

export interface TomlDocument {
  /** Its path. */
  readonly file: string;
  readonly text: string;
  readonly table: TomlTable;
  /** Found on demand: most readers of a file have no problem to report. */
  readonly places: () => TomlPlaces;
}

/** Counted from 1; columns in UTF-16 units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** @throws PulleyError `INPUT_UNREADABLE`, or as {@link parseToml} */
export function readToml(file: string): TomlDocument {
  return parseToml(readTomlText(file), file);
}

/** @throws PulleyError `INPUT_UNREADABLE` if it cannot be read or is too long, `INPUT_INVALID` if it is not UTF-8 */
export function readTomlText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readConfigFile(file);
  } catch (cause) {
    if (cause instanceof PulleyError) throw cause;
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${file}: ${errnoOf(cause) ?? errorText(cause)}`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PulleyError("INPUT_INVALID", `${file} is not UTF-8`, { cause });
  }
}

/** @throws PulleyError `INPUT_INVALID` with file, line and column */
export function parseToml(text: string, file: string): TomlDocument {
  try {
    const table: TomlTable = parse(text, { maxDepth: deepest, integersAsBigInt: "asNeeded" });
    let places: TomlPlaces | undefined;
    return {
      file,
      text,
      table,
      places: () => {
        places ??= locate(text);
        return places;
      },
    };
  } catch (cause) {
    const [line, column] = [numberIn(cause, "line"), numberIn(cause, "column")];
    const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
    const [first = ""] = errorText(cause).split("\n");
    const said = printable(first.replace(/^Invalid TOML document: /, ""));
    throw new PulleyError("INPUT_INVALID", `${place}: ${said}`, { cause });
  }
}

function numberIn(value: unknown, key: "line" | "column"): number | undefined {
  if (typeof value !== "object" || value === null || !(key in value)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === "number" ? found : undefined;
}

export function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Where something stands: its value, or its key where that is meant or there is no value; the document's beginning
 * otherwise.
 */
export function spanOf({ places }: TomlDocument, path: TomlPath, which: "key" | "value"): TomlSpan {
  const found = places();
  const span = which === "key" ? found.key(path) : (found.value(path) ?? found.key(path));
  if (span !== undefined) return span;
  return path.length === 0 ? { start: 0, end: 0 } : (found.key(path.slice(0, -1)) ?? { start: 0, end: 0 });
}

export function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
