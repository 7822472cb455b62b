import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readYamlDocument } from "./documents.ts";
import { SyntaxProblem } from "./problem.ts";
import type { Value } from "./value.ts";
import { readYaml } from "./yaml.ts";

const budget = () => ({ repeatedValues: 1000, mistakes: [] });

/** The values of a document, or that it has none. */
function outcome(read: () => Value[]): Value[] | "refused" {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxProblem) return "refused";
    throw error;
  }
}

function expectSame(text: string): void {
  const whole = outcome(() => readYaml(text, 7, budget()));
  expect(outcome(() => readYamlDocument(text, 7, budget()))).toEqual(whole);
}

describe("a list read item by item is the list read as a whole", () => {
  it.each([
    ["as people write it", "kind: List\nitems:\n  - a: 1\n    b: |\n      x\n      - y\n  - c: 2\n"],
    ["as kubectl prints it", "apiVersion: v1\nitems:\n- a: 1\n  b:\n  - x\n  - y\n- c: 2\nkind: List\nmetadata: {}\n"],
    ["with comments and empty lines", "items:\n\n# one\n- a: 1\n# two\n\n  # in it\n- b\n\n# end\n"],
    ["with line ends of Windows", "kind: List\r\nitems:\r\n- a: 1\r\n-\r\n  b: 2\r\nkind2: x\r\n"],
    ["with anchors in one item", "items:\n- a: &x 1\n  b: *x\n- c: &x 2\n  d: *x\n"],
    ["with anchors across items", "items:\n- a: &x 1\n- b: *x\n- c: &x 2\nlast: *x\n"],
    ["with quotes over several lines", 'items:\n- a: "x\n\n    - y"\n- b\n'],
    ["with a broken item", "items:\n- a: [\n- b\n"],
    ["with a key on both sides", "kind: a\nitems:\n- b\nkind: c\n"],
    ["with items twice", "items:\n- a\nitems:\n- b\n"],
    ["with something else behind", "items:\n- a\nb\n"],
    ["with an item too far to the left", "items:\n  - a\n- b\n"],
    ["with an end", "items:\n- a\n...\n"],
    ["with a directive", "%YAML 1.1\n---\nitems:\n- a\n"],
    ["without items", "items:\nkind: List\n"],
    ["that is none", "a:\n  items:\n  - b\n"],
    ["in a block scalar", "a: |\n  x\nitems:\n- b: |\n    items:\n    - c\n"],
  ])("%s", (_, text) => expectSame(text));

  it("whatever is in it", () => {
    const line = fc.constantFrom(
      "- a: 1",
      "- b",
      "-",
      "  c: 2",
      "  - d",
      "    - e: |",
      "      text",
      "# note",
      "",
      "  # note",
      "k: v",
      "items:",
      '- "x',
      '  y"',
      "- [1,",
      "  2]",
      "- &a x",
      "- *a",
      "  <<: {z: 1}",
      "- ? q",
      "  : r",
      "- |",
      "  - - f",
      "...",
      "\t",
      "  ",
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom("", "  "), (lines, indent) => {
        expectSame(`kind: List\nitems:\n${lines.map((text) => `${indent}${text}\n`).join("")}`);
      }),
      { numRuns: 1000 },
    );
  });
});
