import { describe, expect, it } from "vitest";
import { checks } from "./rules/index.ts";
import { documentationOf, isRuleId, profiles, type Rule, ruleIds, ruleTable } from "./rules.ts";

describe.each(ruleIds)("the rule %s", (id) => {
  const rule: Rule = ruleTable[id];

  it("is told in sentences", () => {
    expect(rule.title).toMatch(/^[A-Z].*[^.]$/);
    expect(rule.why).toMatch(/^[A-Z].*\.$/);
    expect(rule.advice).toMatch(/^[A-Z].*\.$/);
    expect(documentationOf(id)).toBe(`audit-rules.md#${id}`);
  });

  it("is on under one of the profiles", () => {
    expect(profiles.some((profile) => rule.severity[profile] !== "off")).toBe(true);
  });
});

it("is a rule only by its own name", () => {
  expect(["tag-moving", "constructor", "Tag-moving", ""].filter(isRuleId)).toEqual(["tag-moving"]);
});

it("has each check once", () => {
  expect(new Set(checks.map(([id]) => id)).size).toBe(checks.length);
});
