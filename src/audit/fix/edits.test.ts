import { expect, it } from "vitest";
import type { Edit } from "../types.ts";
import { applyEdits } from "./edits.ts";

function edit(start: number, end: number, text: string): Edit {
  return { file: "f", start, end, text };
}

it.each([
  ["in any order", [edit(3, 4, "D"), edit(0, 1, "A")], "AbcDe"],
  ["equal ones once", [edit(1, 2, "B"), edit(1, 2, "B"), edit(4, 4, "+"), edit(4, 4, "+")], "aBcd+e"],
  ["side by side", [edit(1, 3, "x"), edit(3, 3, "+"), edit(3, 5, "y"), edit(1, 1, "-")], "a-x+y"],
  ["at the ends", [edit(0, 0, "<"), edit(5, 5, ">")], "<abcde>"],
  ["none", [], "abcde"],
])("edits are made: %s", (_, edits, wanted) => expect(applyEdits("abcde", edits)).toBe(wanted));

it.each([
  ["one reaches into another", [edit(0, 2, "x"), edit(1, 3, "y")]],
  ["one is within another", [edit(0, 4, "x"), edit(1, 1, "y")]],
  ["two replace the same", [edit(0, 1, "x"), edit(0, 1, "y")]],
  ["two insert at one place", [edit(1, 1, "x"), edit(1, 1, "y")]],
  ["one is behind the end", [edit(5, 6, "x")]],
  ["one ends before it begins", [edit(2, 1, "x")]],
  ["one is nowhere", [edit(Number.NaN, 1, "x")]],
])("edits are refused: %s", (_, edits) => expect(() => applyEdits("abcde", edits)).toThrow(RangeError));
