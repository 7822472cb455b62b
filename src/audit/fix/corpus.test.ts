import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { planFixes } from "./plan.ts";
import { fixesOf, imageAttempts, pinned, policyAttempts } from "./testing/asking.ts";

const folder = fileURLToPath(new URL("corpus/", import.meta.url));
const names = readdirSync(folder).filter((name) => /\.(yaml|txt)$/.test(name) && !name.includes(".fixed."));

/** What is not fixed, and why; in all other files everything is. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  "anchors-shared.yaml": ["the place is shared by an anchor that is used 2 times"],
  "templates.yaml": ["the document is a template: it has {{ in it", "the document is a template: it has {{ in it"],
};

/** All containers always pulled, all images pinned. */
function planned(text: string, name: string) {
  const always = name === "compose.yaml" ? "always" : "Always";
  const policies = name.startsWith("openfaas") ? [] : policyAttempts(text, always);
  const attempts = [...policies, ...imageAttempts(text, pinned)];
  const { refused, ...plan } = planFixes(text, name, fixesOf(attempts));
  const own = attempts.flatMap((attempt) => attempt.refused ?? []);
  return { ...plan, reasons: [...own, ...refused.map(({ reason }) => reason)] };
}

describe("the corpus, always pulled and pinned", () => {
  it("is there", () => expect(names.length).toBeGreaterThan(20));

  it.each(names)("%s", (name) => {
    const bytes = readFileSync(folder + name);
    const plan = planned(bytes.toString("utf8"), name);
    const fixed = readFileSync(folder + name.replace(".", ".fixed."));
    expect(plan.text).toBe(fixed.toString("utf8"));
    expect(Buffer.from(plan.text).equals(fixed)).toBe(true);
    expect(plan.reasons).toEqual(reasons[name] ?? []);
  });

  it.each(names)("%s a second time", (name) => {
    const fixed = readFileSync(folder + name.replace(".", ".fixed."), "utf8");
    expect(planned(fixed, name)).toMatchObject({ text: fixed, edits: [] });
  });
});
