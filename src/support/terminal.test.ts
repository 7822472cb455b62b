import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bar,
  columns,
  fit,
  hanging,
  painter,
  printable,
  printableJson,
  printableLine,
  wantsColour,
  widthOf,
} from "./terminal.ts";

describe("width", () => {
  it.each([
    ["abc", 3],
    ["\u001b[31mred\u001b[0m", 3],
    ["日本", 4],
    ["e\u0301", 1],
    ["✓", 1],
    ["🚀", 2],
  ])("of %j is %i", (text, width) => expect(widthOf(text)).toBe(width));

  it("is never exceeded by fit, whatever the colours", () => {
    const red = painter(true)("red", "a long red text");
    expect(widthOf(fit(red, 6))).toBe(6);
    expect(fit(red, 6)).toContain("\u001b[39m");
    expect(fit("日本語", 4)).toBe("日…");
    expect(fit("short", 5)).toBe("short");
  });
});

describe("columns", () => {
  it("line up, with nothing behind the last", () => {
    expect(
      columns([
        ["NAME", "READY"],
        ["a-long-name", "0/1"],
      ]),
    ).toEqual(["NAME          READY", "a-long-name   0/1"]);
  });
});

describe("a hanging text", () => {
  it("is broken between words, with every line as far in as the first", () => {
    const words = "it is here already and may be used by the pod";
    expect(hanging("> ", words, 34)).toEqual(["> it is here already and may be", "  used by the pod"]);
    expect(hanging("> ", words, 60)).toEqual([`> ${words}`]);
    expect(hanging("a long prefix: ", words, 30)).toEqual([`a long prefix: ${words}`]);
    const word = "x".repeat(50);
    expect(hanging("> ", `${word} y`, 34)).toEqual([`> ${word}`, "  y"]);
  });
});

describe("a bar", () => {
  it.each([
    [0, "····"],
    [0.5, "██··"],
    [1, "████"],
    [2, "████"],
    [0.6, "██▍·"],
  ])("of %f is %s", (share, drawn) => expect(bar(share, 4)).toBe(drawn));
});

describe("colour", () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: false }, { FORCE_COLOR: "1" }, true],
    [{ isTTY: true }, { FORCE_COLOR: "0" }, false],
    [{ isTTY: true }, { TERM: "dumb" }, false],
  ])("for %j with %j: %s", (stream, environment, wanted) => expect(wantsColour(stream, environment)).toBe(wanted));
});

describe("printable", () => {
  it("shows control characters instead of sending them to the terminal", () => {
    expect(printable("a\u001b[2Jb\nc\u202e")).toBe("a\\u001b[2Jb\\u000ac\\u202e");
    expect(printable("\u009b31m\u2028\u2029\ud800x\u{e0001}")).toBe("\\u009b31m\\u2028\\u2029\\ud800x\\u{e0001}");
    expect(printable("日本 é 🚀")).toBe("日本 é 🚀");
  });

  it("lets a line have tabs and our own colours, where there are colours, and nothing else", () => {
    const red = painter(true)(["bold", "red"], "x");
    expect(printableLine(`${red}\t\u001b[2J\u001b[8m\n`, true)).toBe(`${red}\t\\u001b[2J\\u001b[8m\\u000a`);
    expect(printableLine(red, false)).toBe("\\u001b[1m\\u001b[31mx\\u001b[39m\\u001b[22m");
  });

  it("leaves JSON what it was, whatever stands in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = printableJson(JSON.stringify({ [text]: `${text}\u009b\u{e0001}` }));
        expect(shown).toBe(printable(shown));
        expect(JSON.parse(shown)).toEqual({ [text]: `${text}\u009b\u{e0001}` });
      }),
    );
  });
});
