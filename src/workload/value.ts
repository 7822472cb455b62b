/** Values of YAML and JSON documents that remember where they were written. Aliases are resolved: values may be shared. */

interface Placed {
  /** Offset of the first character in the text; of an aliased value, that of the anchored one. */
  readonly start: number;
}

export interface MappingValue extends Placed {
  readonly kind: "mapping";
  readonly entries: ReadonlyMap<string, Value>;
}

export interface SequenceValue extends Placed {
  readonly kind: "sequence";
  readonly items: readonly Value[];
}

export interface ScalarValue extends Placed {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
}

export type Value = MappingValue | SequenceValue | ScalarValue;

/** The value at a path of keys; `undefined` where a key, or a mapping that could have it, is missing, and for null. */
export function valueAt(value: Value | undefined, ...keys: readonly string[]): Value | undefined {
  let found = value;
  for (const key of keys) {
    if (found?.kind !== "mapping") return undefined;
    found = found.entries.get(key);
  }
  return isNull(found) ? undefined : found;
}

export function mappingAt(value: Value | undefined, ...keys: readonly string[]): MappingValue | undefined {
  const found = valueAt(value, ...keys);
  return found?.kind === "mapping" ? found : undefined;
}

export function itemsAt(value: Value | undefined, ...keys: readonly string[]): readonly Value[] {
  const found = valueAt(value, ...keys);
  return found?.kind === "sequence" ? found.items : [];
}

/** The text at a path; `undefined` where there is none or it is no text. */
export function textAt(value: Value | undefined, ...keys: readonly string[]): string | undefined {
  const found = valueAt(value, ...keys);
  return found?.kind === "scalar" && typeof found.value === "string" ? found.value : undefined;
}

/** The number at a path; `undefined` where there is none or it is no number. */
export function numberAt(value: Value | undefined, ...keys: readonly string[]): number | undefined {
  const found = valueAt(value, ...keys);
  return found?.kind === "scalar" && typeof found.value === "number" ? found.value : undefined;
}

export function isTrueAt(value: Value | undefined, ...keys: readonly string[]): boolean {
  const found = valueAt(value, ...keys);
  return found?.kind === "scalar" && found.value === true;
}

/** The entries at a path whose values are texts, as labels and annotations are. */
export function textsAt(value: Value | undefined, ...keys: readonly string[]): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [key, entry] of mappingAt(value, ...keys)?.entries ?? []) {
    if (entry.kind === "scalar" && typeof entry.value === "string") texts.push([key, entry.value]);
  }
  return Object.fromEntries(texts);
}

export function isNull(value: Value | undefined): boolean {
  return value?.kind === "scalar" && value.value === null;
}

/** The value as JSON would give it. */
export function plain(value: Value): unknown {
  switch (value.kind) {
    case "mapping":
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, plain(entry)]));
    case "sequence":
      return value.items.map(plain);
    case "scalar":
      return value.value;
  }
}

/** What a value is, for messages: `a string`, `a list`. */
export function sortOf(value: Value): string {
  if (value.kind === "mapping") return "an object";
  if (value.kind === "sequence") return "a list";
  return value.value === null ? "null" : `a ${typeof value.value}`;
}
