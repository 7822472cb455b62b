import fc from "fast-check";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { readValues } from "../../workload/index.ts";
import { type FixPlan, planFixes } from "./plan.ts";
import { askingIn, fixesOf, imageAttempts, pinned, policyAttempts } from "./testing/asking.ts";
import { randomManifest } from "./testing/random-manifest.ts";

interface Planned extends FixPlan {
  /** Why something was not fixed. */
  readonly reasons: readonly string[];
}

/** All containers always pulled, all images pinned. */
function planned(text: string): Planned {
  const attempts = [...policyAttempts(text, "Always"), ...imageAttempts(text, pinned)];
  const plan = planFixes(text, "file.yaml", fixesOf(attempts));
  const own = attempts.flatMap(({ refused }) => refused ?? []);
  return { ...plan, reasons: [...own, ...plan.refused.map(({ reason }) => reason)] };
}

/** The documents as readers of others understand them. */
function understood(text: string): unknown[] {
  const content = text.replace(/^\ufeff/, "");
  if (content.startsWith("{")) return [JSON.parse(content)];
  const documents = parseAllDocuments(content, { version: "1.1", merge: true, logLevel: "silent" });
  return "map" in documents ? documents.map((document) => document.toJS() as unknown) : [];
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What asks for images, in the order of {@link askingIn}. */
function askingObjects(documents: readonly unknown[]): unknown[] {
  const objects = documents.flatMap((document) =>
    at(document, "kind") === "List" ? list(at(document, "items")) : document,
  );
  return objects.flatMap((object) => {
    const spec = at(object, "spec");
    return [...list(at(spec, "containers")), ...list(at(spec, "volumes")).map((volume) => at(volume, "image"))];
  });
}

/** What the documents should be understood as, with the fixes made. */
function expected(text: string, { made }: FixPlan): unknown[] {
  const documents = understood(text);
  const objects = askingObjects(documents);
  const starts = askingIn(text).map(({ field }) => field.value.start);
  expect(objects).toHaveLength(starts.length);
  for (const { start, key, value } of made.flatMap(({ changes }) => changes)) {
    Object.assign(objects[starts.indexOf(start)] ?? {}, { [key]: value });
  }
  return documents;
}

/** The text, found again in what it became: what is between the edits must be there as it was. */
function undone(text: string, { edits, text: after }: FixPlan): string {
  let before = "";
  let from = 0;
  for (const { start, end, text: added } of edits) {
    const kept = start - before.length;
    before += after.slice(from, from + kept) + text.slice(start, end);
    expect(after.slice(from + kept, from + kept + added.length)).toBe(added);
    from += kept + added.length;
  }
  return before + after.slice(from);
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

it("whatever a manifest looks like, only what was meant is changed, and nothing the second time", () => {
  const seen = { texts: 0, made: 0, refused: 0 };
  fc.assert(
    fc.property(randomManifest, (text) => {
      expect(readValues(text, "file.yaml").problems).toEqual([]);
      const plan = planned(text);
      expect(understood(plan.text)).toEqual(expected(text, plan));
      expect(undone(text, plan)).toBe(text);
      expect(plan.text.startsWith("\ufeff")).toBe(text.startsWith("\ufeff"));
      if (text.includes("\r\n")) expect(count(plan.text, /(?<!\r)\n/g)).toBe(count(text, /(?<!\r)\n/g));
      else expect(plan.text).not.toContain("\r");
      const again = planned(plan.text);
      expect({ text: again.text, edits: again.edits }).toEqual({ text: plan.text, edits: [] });
      expect(again.reasons).toEqual(plan.reasons);
      seen.texts += 1;
      seen.made += plan.made.length;
      seen.refused += plan.reasons.length;
    }),
    { numRuns: 1000 },
  );
  // Nearly all could be fixed, so that this does not hold for want of something to do.
  expect(seen.made).toBeGreaterThan(2 * seen.texts);
  expect(seen.refused).toBeLessThan(seen.made / 100);
});

it("a text that was tampered with is fixed as safely, or not at all", () => {
  const pieces = fc.stringMatching(/^[ \n\t\-#:{}[\],'"&*|>?!%.a]{0,4}$/);
  const tampering = fc.array(fc.tuple(fc.nat(), fc.nat(3), pieces), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(randomManifest, tampering, (whole, cuts) => {
      let text = whole;
      for (const [seed, length, piece] of cuts) {
        const start = seed % (text.length + 1);
        text = text.slice(0, start) + piece + text.slice(start + length);
      }
      const plan = planned(text);
      expect(undone(text, plan)).toBe(text);
      const before = readValues(text, "file.yaml");
      const after = readValues(plan.text, "file.yaml");
      expect(after.problems.map(({ message }) => message)).toEqual(before.problems.map(({ message }) => message));
      expect(planned(plan.text).edits).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
