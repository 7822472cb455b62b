import { describe, expect, test } from "vitest";
import { painter } from "../../support/terminal.ts";
import type { Finding } from "../types.ts";
import { everywhere, hostileTexts, printed, sample } from "./testing/sample.ts";
import { text } from "./text.ts";

const [first] = sample;
if (first === undefined) throw new Error("the sample is empty");
const finding: Finding = first;

/** The source line and the one under it, as printed for a mark in `line`. */
async function shown(line: string, column: number, endColumn: number, width?: number): Promise<string[]> {
  const region = { ...finding.region, line: 7, endLine: 7, column, endColumn };
  const report = await printed(text, [{ ...finding, region }], { lineOf: () => line, ...(width && { width }) });
  return report.split("\n").slice(4, 6);
}

describe("the marked line", () => {
  test("plain", async () => {
    expect(await shown("image: nginx", 8, 13)).toEqual(["7 │ image: nginx", "  │        ━━━━━"]);
  });

  test("tabs before the mark and in it are two blanks each", async () => {
    expect(await shown("\timage:\ta\tb", 9, 12)).toEqual(["7 │   image:  a  b", "  │           ━━━━"]);
  });

  test("wide characters take two columns", async () => {
    expect(await shown("名前: 日本 # 🚢", 5, 7)).toEqual(["7 │ 名前: 日本 # 🚢", "  │       ━━━━"]);
  });

  test("control characters become visible and count as what is seen", async () => {
    expect(await shown("a\u001b: b\u202ec", 5, 7)).toEqual(["7 │ a\\u001b: b\\u202ec", "  │          ━━━━━━━"]);
  });

  test("an empty mark and one behind the line's end are one column wide", async () => {
    expect(await shown("image:", 7, 7)).toEqual(["7 │ image:", "  │       ━"]);
    expect(await shown("image:", 99, 120)).toEqual(["7 │ image:", "  │       ━"]);
  });

  test("a long line is cut around the mark", async () => {
    const line = `${"a".repeat(500)}MARK${"b".repeat(500)}`;
    expect(await shown(line, 501, 505, 30)).toEqual(["7 │ …aaaaaaaaaaMARKbbbbbbbbbb…", "  │            ━━━━"]);
  });

  test("of several lines, the first is marked to its end", async () => {
    const region = { ...finding.region, line: 7, column: 3, endLine: 9, endColumn: 1 };
    const report = await printed(text, [{ ...finding, region }], { lineOf: () => "- one" });
    expect(report.split("\n")[5]).toBe("  │   ━━━");
  });

  test("a byte order mark and a carriage return are not of the line", async () => {
    const region = { ...finding.region, line: 1, column: 1, endLine: 1, endColumn: 6 };
    const report = await printed(text, [{ ...finding, region }], { lineOf: () => "\ufeffimage\r" });
    expect(report.split("\n").slice(4, 6)).toEqual(["1 │ image", "  │ ━━━━━"]);
  });

  test("is left out where the line cannot be had", async () => {
    const report = await printed(text, [finding], { lineOf: () => undefined });
    expect(report).not.toContain("━");
    expect(report).toContain("╭─ deploy/web.yaml:10:28");
  });
});

test("a file's name is printed once for its findings", async () => {
  const report = await printed(text, sample);
  expect(report.split("\n").filter((line) => line.startsWith("── "))).toEqual([
    "── deploy/web.yaml",
    "── charts/shop & co/Chart #1.yaml",
    "── <stdin>",
  ]);
});

test("colour is only in escape sequences", async () => {
  const coloured = await printed(text, sample, { paint: painter(true) });
  expect(coloured).toContain("\u001b[31m");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with a control character
  expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(await printed(text, sample));
});

test("nothing found says what was looked at", async () => {
  expect(await printed(text, [])).toBe("No findings in 14 files (120 containers), 1 suppressed\n");
  const one = { files: 1, workloads: 1, containers: 1, suppressed: 0, notSeen: [] };
  expect(await printed(text, [], { counts: () => one })).toBe("No findings in 1 file (1 container)\n");
});

test("no line is a command to a CI system", async () => {
  const report = await printed(text, hostileTexts.map(everywhere), { lineOf: () => "::error::" });
  expect(report.split("\n").filter((line) => line.trimStart().startsWith("::"))).toEqual([]);
});

test("on a terminal of three columns there is still a mark", async () => {
  const line = `${"a".repeat(50)}MARK${"b".repeat(50)}`;
  expect(await shown(line, 51, 55, 3)).toEqual(["7 │ …aaaaaaaMARKbbbbbbb…", "  │         ━━━━"]);
});
