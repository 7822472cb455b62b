import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Edit } from "../types.ts";
import { unifiedDiff } from "./diff.ts";
import { applyEdits } from "./edits.ts";
import { fixesOf, imageAttempts, pinned, planOf, policyAttempts } from "./testing/asking.ts";

const hasGit = spawnSync("git", ["--version"]).status === 0;

/** The edits that put texts in the place of others, each the first of its kind. */
function edits(text: string, ...replacements: readonly (readonly [string, string])[]): Edit[] {
  return replacements
    .map(([from, to]) => ({ file: "f", start: text.indexOf(from), end: text.indexOf(from) + from.length, text: to }))
    .toSorted((one, other) => one.start - other.start);
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
}

describe("a unified diff", () => {
  it("shows three lines around a change", () => {
    const text = numbered(10);
    expect(unifiedDiff("a/b.yaml", text, edits(text, ["line 5\n", "five\n5a\n"]))).toBe(
      "--- a/a/b.yaml\n+++ b/a/b.yaml\n@@ -2,7 +2,8 @@\n line 2\n line 3\n line 4\n-line 5\n+five\n+5a\n line 6\n line 7\n line 8\n",
    );
  });

  it("shows changes together whose surroundings touch, and others apart", () => {
    const text = numbered(30);
    const diff = unifiedDiff("f", text, edits(text, ["line 2\n", ""], ["line 9\n", "9\n9\n"], ["line 17\n", "17\n"]));
    expect(diff.match(/^@@.*$/gm)).toEqual(["@@ -1,12 +1,12 @@", "@@ -14,7 +14,7 @@"]);
  });

  it("shows an insertion as added lines only", () => {
    const text = "a\nb\n";
    expect(unifiedDiff("f", text, [{ file: "f", start: 1, end: 1, text: "\nc" }])).toBe(
      "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n+c\n b\n",
    );
  });

  it("says where there is no line break at the end", () => {
    expect(unifiedDiff("f", "a", [{ file: "f", start: 1, end: 1, text: "\nb" }])).toBe(
      "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n",
    );
  });

  it("shows nothing where nothing changes", () => {
    expect(unifiedDiff("f", "a\n", [])).toBe("");
    expect(unifiedDiff("f", "a\n", edits("a\n", ["a", "a"]))).toBe("");
  });

  it.each([
    ["./x.yaml", "a/x.yaml"],
    ["/etc/x.yaml", "a/etc/x.yaml"],
    ["with blank.yaml", "a/with blank.yaml\t"],
    ["line\nbreak.yaml", '"a/line\\nbreak.yaml"'],
    ["größe.yaml", "a/größe.yaml"],
  ])("names the file %j", (file, name) => {
    expect(unifiedDiff(file, "a\n", edits("a\n", ["a", "b"])).split("\n")[0]).toBe(`--- ${name}`);
  });
});

describe.skipIf(!hasGit)("git apply takes it", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pulley-diff-"));
    execFileSync("git", ["init", "-q"], { cwd: folder });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function applied(text: string, diff: string): string {
    writeFileSync(join(folder, "file.yaml"), text);
    execFileSync("git", ["-c", "core.autocrlf=false", "apply", "-"], { cwd: folder, input: diff });
    return readFileSync(join(folder, "file.yaml"), "utf8");
  }

  const corpus = fileURLToPath(new URL("corpus/", import.meta.url));
  it.each(readdirSync(corpus).filter((name) => !name.includes(".fixed.") && /\.(yaml|txt)$/.test(name)))(
    "for %s",
    (name) => {
      const text = readFileSync(corpus + name, "utf8");
      const plan = planOf(text, [...policyAttempts(text, "Always"), ...imageAttempts(text, pinned)]);
      expect(fixesOf(policyAttempts(text, "Always")).length).toBeGreaterThan(0);
      expect(applied(text, unifiedDiff("file.yaml", text, plan.edits))).toBe(plan.text);
    },
  );

  it("for whatever edits", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "", "c\r", "é"), { minLength: 1, maxLength: 40 });
    const pieces = fc.array(fc.tuple(fc.nat(200), fc.nat(6), fc.constantFrom("", "x", "\n", "y\nz", "b\n")), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(lines, fc.constantFrom("", "\n"), pieces, (parts, end, cuts) => {
        const text = parts.join("\n") + end;
        let from = 0;
        const own: Edit[] = [];
        for (const [skip, length, piece] of cuts) {
          const start = from + (skip % 40);
          if (start + length > text.length) break;
          own.push({ file: "f", start, end: start + length, text: piece });
          from = start + length + 1;
        }
        const wanted = applyEdits(text, own);
        fc.pre(text !== "" && wanted !== "");
        const diff = unifiedDiff("file.yaml", text, own);
        expect(diff === "" ? text : applied(text, diff)).toBe(wanted);
      }),
      { numRuns: 60 },
    );
  });
});
