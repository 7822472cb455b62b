/** Reading objects of the Kubernetes API of which nothing is known yet: what is of another type than it must be is not there. */

export function valueAt(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === "string" ? found : undefined;
}

/** A number that is none below zero. */
export function countAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : undefined;
}

export function itemsAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The entries whose values are texts, as labels and annotations are. */
export function textsAt(value: unknown, ...keys: readonly string[]): readonly (readonly [string, string])[] {
  const found = valueAt(value, ...keys);
  if (!isObject(found)) return [];
  return Object.entries(found).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : []));
}

/** Milliseconds since the epoch. */
export function timeAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const time = Date.parse(textAt(value, ...keys) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Characters of a text that are kept: no name or reference is longer, and no message is read to its end. */
const longestText = 4096;

/** Keeps one of each text: 100 000 pods have few different images, names of containers, nodes and labels. */
export function sharedTexts(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    // A part of a string keeps all of it in memory; a copy does not.
    const own = Buffer.from(text.slice(0, longestText)).toString();
    texts.set(own, own);
    return own;
  };
}

/** Keeps one of each value, by its key. */
export function pool<Value>(): (key: string, make: () => Value) => Value {
  const values = new Map<string, Value>();
  return (key, make) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const made = make();
    values.set(key, made);
    return made;
  };
}
