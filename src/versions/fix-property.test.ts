import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { randomManifest } from "../audit/fix/testing/random-manifest.ts";
import { canonicalText, parseDigest, parseTag } from "../image/index.ts";
import { fixImages } from "./fix.ts";
import { type RandomFile, randomFile } from "./testing/random-files.ts";
import { nameOf, testFolder } from "./testing/read.ts";
import type { UsedImages } from "./used-image.ts";

const folder = testFolder();
const digest = `sha256:${"cd".repeat(32)}`;
const anyTag = fc.constantFrom("1.26", "v2", "1.26-alpine3.19", "20250101", "on", "2025-01-01").map(parseTag);

const manifestFile: fc.Arbitrary<RandomFile> = randomManifest.map((text) => ({ name: "manifest.yaml", text }));

/** A tag or a digest, or a piece of one where the diff has cut it; with the quotes that a number needs. */
const version = /^["']?(?:[\w.-]*|(?:[\w.-]+@)?sha256:[0-9a-f]*|[0-9a-f]*)["']?$/;

it("only tags and digests change, whatever a file looks like, and nothing the second time", async () => {
  const seen = { tried: 0, files: 0, changed: 0, places: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(randomFile, manifestFile), anyTag, fc.boolean(), async (file, tag, hasDigest) => {
      // A folder of its own: a kustomization in it replaces images of the files beside it.
      const path = folder.write(`${seen.tried}/${file.name}`, file.text);
      seen.tried += 1;
      const to = { tag, ...(hasDigest && { digest: parseDigest(digest) }) };
      const read = () => folder.read([path]);
      const wanted = ({ images }: UsedImages) => images.map((used) => ({ used, to }));
      const before = await read();
      expect(before.problems.filter(({ message }) => !message.startsWith("newTag"))).toEqual([]);
      const report = await fixImages(wanted(before), { mode: "fix" });
      const text = readFileSync(path, "utf8");
      expect(report.failures).toEqual([]);
      for (const change of changesBetween(
        file.text,
        report.changed.flatMap(({ fixes }) => fixes.flatMap(({ edits }) => edits)),
        text,
      ))
        expect(change).toMatch(version);

      const after = await read();
      // Each image is at another version of the same repository, or was refused.
      const refused = new Set(report.refused.map(({ wanted: { used } }) => nameOf(used)));
      const allowed = before.images.flatMap(({ image }) => {
        if (image.kind === "invalid") return [];
        const changed = canonicalText({ ...image, tag: image.tag && tag, digest: image.digest && parseDigest(digest) });
        return refused.has(canonicalText(image)) ? [canonicalText(image), changed] : [changed];
      });
      for (const used of after.images) expect(allowed).toContain(nameOf(used));
      const again = await fixImages(wanted(after), { mode: "fix" });
      expect(again.changed).toEqual([]);
      expect(readFileSync(path, "utf8")).toBe(text);
      seen.files += 1;
      seen.changed += report.changed.length;
      seen.places += before.images.flatMap(({ places }) => places).length;
      seen.refused += report.refused.length;
    }),
    { numRuns: 100 },
  );
  // Most could be changed, so that this does not hold for want of something to do.
  expect(seen.changed).toBeGreaterThan(seen.files / 2);
  expect(seen.refused).toBeLessThan(seen.places * 0.6);
});

interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What was there, and what is there now, in each place; fails where the texts differ elsewhere. */
function changesBetween(before: string, edits: readonly Span[], after: string): string[] {
  const sorted = [...new Map(edits.map((edit) => [`${edit.start} ${edit.end}`, edit])).values()].toSorted(
    (one, other) => one.start - other.start,
  );
  let rebuilt = "";
  let from = 0;
  for (const { start, end, text } of sorted) {
    rebuilt += before.slice(from, start) + text;
    from = end;
  }
  expect(after).toBe(rebuilt + before.slice(from));
  return sorted.flatMap(({ start, end, text }) => trimmed(before.slice(start, end), text));
}

/** Without what both begin and end with. */
function trimmed(before: string, after: string): [string, string] {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
}
