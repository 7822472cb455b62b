import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { limitMessages, limits } from "./limits.ts";
import { SyntaxProblem } from "./problem.ts";
import { boundedTokens, refuseEndless, withoutTraces } from "./yaml-bounds.ts";

/** A value in brackets and quotes, comments and blocks, with how deep it is. */
interface Written {
  readonly text: string;
  readonly depth: number;
}

const noise = fc.string({ unit: fc.constantFrom(..."[]{}-?:,#|>&*!'\"ab "), maxLength: 12 });

const { value } = fc.letrec<{ value: Written; leaf: Written; flow: Written; below: Written }>((tie) => ({
  value: fc.oneof({ maxDepth: 60, withCrossShrink: true }, tie("leaf"), tie("flow"), tie("below")),
  leaf: noise.map((text) => ({ text: JSON.stringify(text), depth: 0 })),
  flow: fc.tuple(fc.nat(60), tie("leaf"), fc.boolean()).map(([levels, { text }, isMap]) => ({
    text: isMap
      ? `${"{a: ".repeat(levels)}${text}${"}".repeat(levels)}`
      : `${"[".repeat(levels)}${text}${"]".repeat(levels)}`,
    depth: levels,
  })),
  below: fc.tuple(tie("value"), fc.boolean(), noise).map(([{ text, depth }, isList, comment]) => ({
    text: `${isList ? "-" : "key:"} # ${comment}\n${text.replace(/^/gm, "  ")}`,
    depth: depth + 1,
  })),
}));

/** Levels that bring a value, whatever its own depth is, to the limit or one or two to either side of it. */
const aboutTheLimit = fc.record({ beyond: fc.integer({ min: -2, max: 2 }) });

function isTooDeep(text: string): boolean {
  try {
    for (const _ of boundedTokens(text, 0));
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxProblem);
    expect(String(error)).toContain(limitMessages.depth);
    return true;
  }
}

describe("the bounds of YAML", () => {
  it("are where the library's own parser says that a document is too deep, whatever stands in strings and comments", () => {
    let deep = 0;
    fc.assert(
      fc.property(value, fc.oneof(fc.nat(limits.depth + 20), aboutTheLimit), ({ text, depth }, levels) => {
        const more = typeof levels === "number" ? levels : Math.max(0, limits.depth - depth + levels.beyond);
        const whole = `${"- ".repeat(more)}${/[\n]/.test(text) ? "" : text}\n${/[\n]/.test(text) ? text.replace(/^/gm, " ".repeat(2 * more)) : ""}`;
        const { errors } = parseDocument(whole);
        expect(errors).toEqual([]);
        const isDeep = depth + more > limits.depth;
        if (isDeep) deep += 1;
        expect(isTooDeep(whole)).toBe(isDeep);
      }),
      { numRuns: 500 },
    );
    expect(deep).toBeGreaterThan(20);
  });

  it("never go down into a text, however broken it is", () => {
    const piece = fc.constantFrom(
      "[",
      "{",
      "- ",
      "? ",
      ": ",
      "a: ",
      "\n",
      "  ",
      "'",
      '"',
      "|\n",
      "&a ",
      "]",
      "}",
      ",",
      "#",
    );
    const text = fc
      .array(fc.tuple(piece, fc.integer({ min: 1, max: 3000 })), { maxLength: 12 })
      .map((runs) => runs.map(([unit, times]) => unit.repeat(times)).join(""));
    fc.assert(
      fc.property(text, (broken) => {
        try {
          for (const _ of boundedTokens(broken, 0));
        } catch (error) {
          if (!(error instanceof SyntaxProblem)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("refuse only a document that is longer than any cluster holds", () => {
    expect(() => refuseEndless("[],".repeat(limits.marks / 3), 0)).not.toThrow();
    expect(() => refuseEndless("[],".repeat(limits.marks / 3 + 1), 5)).toThrow("more values than can be read");
    expect(() => refuseEndless("x".repeat(limits.marks * 4), 0)).not.toThrow();
  });

  it("put the length of stack traces back", () => {
    const before = Error.stackTraceLimit;
    expect(withoutTraces(() => Error.stackTraceLimit)).toBe(0);
    expect(() =>
      withoutTraces(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(Error.stackTraceLimit).toBe(before);
  });
});
