import { describe, expect, it } from "vitest";
import { documentationOf, isRuleId, ruleIds, rules } from "./index.ts";
import { profiles } from "./rule.ts";

describe.each(rules)("the rule $id", (rule) => {
  const { title, why, advice, severity } = rule.meta;

  it("is told in sentences", () => {
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(why).toMatch(/^[A-Z].*\.$/);
    expect(advice).toMatch(/^[A-Z].*\.$/);
    expect(documentationOf(rule)).toBe(`audit-rules.md#${rule.id}`);
  });

  it("is on under one of the profiles", () => {
    expect(profiles.some((profile) => severity[profile] !== "off")).toBe(true);
  });
});

it("is a rule only by its own name", () => {
  expect(["tag-moving", "constructor", "Tag-moving", ""].filter(isRuleId)).toEqual(["tag-moving"]);
});

it("has each rule once", () => {
  expect(new Set(ruleIds).size).toBe(rules.length);
});
