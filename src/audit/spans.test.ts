import { describe, expect, it } from "vitest";
import { readManifests, type SourceText, type Value, valueAt } from "../workload/index.ts";
import { firstKeySpan, regionOf, valueSpan } from "./spans.ts";

function parsed(body: string): { root: Value; text: SourceText } {
  const [document] = readManifests(`apiVersion: v1\nkind: X\n${body}`, "a.yaml").documents;
  if (document === undefined) throw new Error("the text has no document");
  return document;
}

describe("the span of a scalar", () => {
  it.each([
    ["image: nginx:1", "nginx:1"],
    ["image: nginx:1 # why", "nginx:1"],
    ["image: nginx:1\r\nother: 1", "nginx:1"],
    ['image: "a\\"b" # "', '"a\\"b"'],
    ["image: 'it''s' # '", "'it''s'"],
    ["image: &anchor nginx", "nginx"],
    ["image: !!str nginx", "nginx"],
    ["image: 1.10 # a number", "1.10"],
    ["image: 0x10", "0x10"],
    ["image: two words", "two words"],
    ["image: one\n  folded", "one"],
    ["image: >-\n  nginx:1\nother: 1", ">-\n  nginx:1"],
    ["image: |\n  a\n\n  b\nother: 1", "|\n  a\n\n  b"],
    ["image:\n  nginx", "nginx"],
  ])("%j is %j", (body, covered) => {
    const { root, text } = parsed(body);
    const value = valueAt(root, "image");
    const { start, end } = valueSpan(text.text, value ?? root);
    expect(text.text.slice(start, end)).toBe(covered);
  });

  it.each(["{image: nginx, a: 1}", "{ image: nginx}", '{"image":nginx }'])("within %s", (flow) => {
    const { root, text } = parsed(`x: ${flow}`);
    const { start, end } = valueSpan(text.text, valueAt(root, "x", "image") ?? root);
    expect(text.text.slice(start, end)).toBe("nginx");
  });
});

describe("the span of a mapping's first key", () => {
  it.each([
    ["x:\n  name: a", "name"],
    ["x:\n  'a b': a", "'a b'"],
    ["x: {name: a}", "name"],
    ['x: { "name": a}', '"name"'],
    ["x: { # comment\n name: a}", "name"],
    ["x:\n  # comment\n  name: a", "name"],
    ["x:\n  <<: {a: 1}", "<<"],
    ["x: {}", "}"],
  ])("%j is %j", (body, covered) => {
    const { root, text } = parsed(body);
    const mapping = valueAt(root, "x");
    if (mapping?.kind !== "mapping") throw new Error("x is no mapping");
    const { start, end } = firstKeySpan(text.text, mapping);
    expect(text.text.slice(start, end)).toBe(covered);
  });
});

it("counts lines and columns from 1, and the end behind the last character", () => {
  const { text } = parsed("image: >-\n  nginx");
  const start = text.text.indexOf(">-");
  expect(regionOf(text, { start, end: text.text.length })).toEqual({
    file: "a.yaml",
    line: 3,
    column: 8,
    endLine: 4,
    endColumn: 8,
    start,
    end: text.text.length,
  });
});
