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

/** A text that many may hold. */
export interface SharedText {
  readonly text: string;
}

/** Keeps one of each text for as long as somebody holds it: for programs that run for months. */
export function heldTexts(): (text: string) => SharedText {
  const known = new Map<string, WeakRef<SharedText>>();
  const forgotten = new FinalizationRegistry<string>((text) => {
    // Another may have been made since.
    if (known.get(text)?.deref() === undefined) known.delete(text);
  });
  return (text) => {
    const held = known.get(text)?.deref();
    if (held !== undefined) return held;
    const made = { text };
    known.set(text, new WeakRef(made));
    forgotten.register(made, text);
    return made;
  };
}
