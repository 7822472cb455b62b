import { describe, expect, it } from "vitest";
import { type Case, cases } from "./cases.ts";
import { decide } from "./decide.ts";
import { readPolicy } from "./language/read.ts";
import { type Decision, kubernetesOnly, type Policy } from "./types.ts";

function policyOf({ policy: text }: Case): Policy {
  if (text === null) return kubernetesOnly;
  const { policy, problems } = readPolicy([{ file: "policy.yaml", text }]);
  expect(problems).toEqual([]);
  return policy;
}

/** The ids of a decision's trace as cases write them. */
function rulesOf({ trace }: Decision, subject: string): unknown {
  const rules = trace.filter((step) => step.subject === subject).map(({ rule }) => rule);
  return rules.length === 1 ? rules[0] : rules;
}

describe("the table of decisions", () => {
  it.each(cases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    const { request, facts, now, expected } = each;
    const decision = decide(request, policyOf(each), facts, now);
    const { rules = {}, pullPolicy, says, unreached, warnings, ...exact } = expected;
    expect(decision).toMatchObject(exact);
    if (pullPolicy !== undefined) expect(decision.pullPolicy.value).toBe(pullPolicy);
    if (says !== undefined) expect(decision.message).toContain(says);
    for (const [subject, rule] of Object.entries(rules)) expect(rulesOf(decision, subject)).toEqual(rule);
    const told = decision.trial.warnings.map(({ rule, reason }) => `${rule} ${reason}`);
    if (warnings !== undefined) expect(told).toEqual(warnings);
    // What comes of it where nobody can be reached is for a node to say.
    if (unreached !== undefined) expect(decision).not.toMatchObject({ whenUnreachable: "Fail" });
    if (decision.action === "Refuse") expect(expected.reason, "a refusal is expected with its reason").toBeDefined();
  });

  it("is large, and names every case once", () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });
});
