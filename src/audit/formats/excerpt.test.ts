import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, widthOf } from "../../support/terminal.ts";
import { excerpt } from "./excerpt.ts";

test("a line that fits is whole", () => {
  expect(excerpt("image: nginx # web", 8, 13, 40)).toEqual({ before: "image: ", marked: "nginx", after: " # web" });
});

test("a long mark leaves room for what is beside it", () => {
  const { before, marked, after } = excerpt(`image: ${"x".repeat(100)}`, 8, 108, 20);
  expect({ before, marked, after }).toEqual({ before: "image: ", marked: "xxxxxxxxx…", after: "" });
});

test("what is not needed on one side is used on the other", () => {
  const { before, after } = excerpt(`${"a".repeat(100)}mark`, 101, 105, 20);
  expect({ before, after }).toEqual({ before: `…${"a".repeat(15)}`, after: "" });
});

test("a line of a megabyte is cut before it is measured", () => {
  const line = "日".repeat(1_000_000);
  const { before, marked, after } = excerpt(line, 500_000, 900_000, 40);
  expect(widthOf(before + marked + after)).toBeLessThanOrEqual(40);
});

test("an excerpt is never wider than asked for, and always printable", () => {
  const unit = fc.constantFrom("a", " ", "\t", "日", "🚢", "e\u0301", "\u001b", "\u202e", "ש");
  fc.assert(
    fc.property(
      fc.string({ unit }),
      fc.nat(60),
      fc.nat(60),
      fc.integer({ min: 8, max: 60 }),
      (line, from, length, width) => {
        const { before, marked, after } = excerpt(line, from + 1, from + 1 + length, width);
        expect(widthOf(before) + Math.max(1, widthOf(marked)) + widthOf(after)).toBeLessThanOrEqual(width);
        expect(printable(before + marked + after)).toBe(before + marked + after);
      },
    ),
  );
});
