import fc from "fast-check";
import { expect, it } from "vitest";
import { parseList } from "./list-items.ts";

function parsed(text: string) {
  const items: unknown[] = [];
  const head = parseList(Buffer.from(text), (item) => items.push(item));
  return { head, items };
}

it("gives the items of any list one by one, and the rest of it", () => {
  const item = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
  const list = fc.record({
    kind: fc.string({ unit: "binary" }),
    items: fc.array(item),
    metadata: fc.record({ items: fc.array(item), text: fc.string({ unit: "binary" }) }),
  });
  const order = fc.shuffledSubarray(["kind", "items", "metadata"] as const, { minLength: 3 });
  fc.assert(
    fc.property(list, order, fc.constantFrom(0, 2), (value, keys, indent) => {
      const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, value[key]])), null, indent);
      const { head, items } = parsed(`${text}\n`);
      const plain: unknown = JSON.parse(JSON.stringify(value));
      expect({ ...head, items }).toEqual(plain);
      expect(head?.["items"]).toEqual([]);
    }),
  );
});

it.each([
  ['{"kind":"Status","message":"no"}', { kind: "Status", message: "no" }],
  ['{"items":null}', { items: null }],
  ["{}", {}],
])("takes what has no items as it is: %s", (text, head) => {
  expect(parsed(text)).toEqual({ head, items: [] });
});

it.each([
  "",
  "[]",
  "null",
  "<html>",
  '{"items":[',
  '{"items":[{}',
  '{"items":[{}]',
  '{"items":[{} {}]}',
  '{"items":[1]}',
  '{"items":[{"a":]}',
  '{"items":[{}]}}',
  '{"items":["\\',
  '{"items',
  '{"items":[{}],"more"}',
])("is no list: %s", (text) => {
  expect(parsed(text).head).toBeUndefined();
});
