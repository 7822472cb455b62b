/** Of what many objects say the same, one copy. */

/** Characters of a text that are kept: no name or reference is longer, and no message is read to its end. */
export const longestText = 4096;

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
