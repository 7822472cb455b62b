import { expect, it } from "vitest";
import { countAt, itemsAt, textAt, textsAt, timeAt, valueAt } from "./json-record.ts";

const object: unknown = JSON.parse(
  '{"a": {"b": "text", "empty": "", "n": 3, "minus": -1, "list": [1], "null": null, "when": "2026-01-01T00:00:00Z", "map": {"x": "1", "y": 2}}, "__proto__": {"polluted": "yes"}}',
);

it("finds what is there in the type that it must have, and nothing else", () => {
  expect(textAt(object, "a", "b")).toBe("text");
  expect(textAt(object, "a", "empty")).toBeUndefined();
  expect(textAt(object, "a", "n")).toBeUndefined();
  expect(textAt(object, "a", "b", "length")).toBeUndefined();
  expect(valueAt(object, "a", "toString")).toBeUndefined();
  expect(valueAt(object, "a", "list", "0")).toBeUndefined();
  expect(countAt(object, "a", "n")).toBe(3);
  expect(countAt(object, "a", "minus")).toBeUndefined();
  expect(itemsAt(object, "a", "list")).toEqual([1]);
  expect(itemsAt(object, "a", "map")).toEqual([]);
  expect(timeAt(object, "a", "when")).toBe(Date.UTC(2026, 0, 1));
  expect(timeAt(object, "a", "b")).toBeUndefined();
  expect(textsAt(object, "a", "map")).toEqual([["x", "1"]]);
  expect(textsAt(null, "a")).toEqual([]);
});
