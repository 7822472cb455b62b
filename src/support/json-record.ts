/** Looking into parsed JSON of which nothing is known yet: what is of another type than it must be is not there. */

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function valueAt(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (!isRecord(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/** A text that is not empty: in the Kubernetes API, an empty one says what none says. */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** A number that is none below zero. */
export function countAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : undefined;
}

/** Milliseconds since the epoch. */
export function timeAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const time = Date.parse(textAt(value, ...keys) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** Empty where there is none. */
export function recordAt(value: unknown, ...keys: readonly string[]): JsonRecord {
  const found = valueAt(value, ...keys);
  return isRecord(found) ? found : {};
}

export function itemsAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** Those items of a list that are objects. */
export function recordsAt(value: unknown, ...keys: readonly string[]): readonly JsonRecord[] {
  return itemsAt(value, ...keys).filter(isRecord);
}

/** The entries whose values are texts, as labels and annotations are. */
export function textsAt(value: unknown, ...keys: readonly string[]): readonly (readonly [string, string])[] {
  const found = recordAt(value, ...keys);
  return Object.entries(found).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : []));
}

/** The members of an object that have one of these names. */
export function kept(value: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(names.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]])));
}
