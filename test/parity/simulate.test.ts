/** What a node wrote down, replayed by `simulate` under a case's policy, comes out as the table says. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { document } from "../../src/policy/cases/case.ts";
import { type Case, cases, type Expected } from "../../src/policy/cases.ts";
import { encodeRecord } from "../../src/pull/decision-log/format.ts";
import type { DecisionRecord, RecordedDecision } from "../../src/pull/decision-log/types.ts";
import { call, folderForTests, policyFlags } from "./command-line.ts";
import { expressible, named } from "./expressible.ts";

interface Simulated {
  readonly decisions: number;
  readonly changed: number;
  readonly newlyRefused: number;
  readonly after: { readonly warned: number };
  readonly changes: readonly { readonly after: string; readonly message: string; readonly rules: readonly string[] }[];
}

const folder = folderForTests();
const { ran, left } = expressible("simulate");
const record = join(folder, "decisions.jsonl");

/** Decisions that are shown are those that change: what was recorded is what cannot come out. */
function otherThan({ action }: Expected): RecordedDecision {
  const other = action === "Use" ? "Pull" : "Use";
  return { action: other, reason: undefined, pullPolicy: "IfNotPresent", rules: [] };
}

/** Where it is not known whether there was a copy, there was none: something was fetched. */
function recordOf({ request, facts, now, expected }: Case): DecisionRecord {
  const wasAbsent = facts.presence === "unknown";
  return {
    time: now,
    request,
    facts,
    decision: otherThan(expected),
    outcome: { kind: wasAbsent ? "pulled" : "used", fetched: wasAbsent ? 1000 : 0, milliseconds: 1 },
  };
}

async function simulate(each: Case): Promise<{ value: Simulated; status: number }> {
  writeFileSync(record, `${encodeRecord(recordOf(each))}\n`);
  // A policy is what is tried, so where a case has none, it is one that says nothing.
  const silent = document("silent", { rules: [{ name: "nobody", match: { namespaces: ["nobody"] }, admit: "Deny" }] });
  const flags = policyFlags({ ...each, policy: each.policy ?? silent }, folder);
  const { stdout, status } = await call(["simulate", "-o", "json", "--record", record, ...flags]);
  return { value: JSON.parse(stdout), status };
}

describe("simulate", () => {
  it.each(named(ran))("%s", async (_, each) => {
    const { action, reason, pullPolicy = "\\w+", rules = {}, says = "", warnings = [] } = each.expected;
    const { value, status } = await simulate(each);
    const refused = action === "Refuse" ? 1 : 0;
    expect(value).toMatchObject({ decisions: 1, changed: 1, newlyRefused: refused });
    expect(status).toBe(refused);
    const [change] = value.changes;
    const warned = warnings.length > 0 ? ", warned" : "";
    expect(change?.after).toMatch(new RegExp(`^${reason ?? `${pullPolicy}, ${action}${warned}`}$`));
    expect(value.after.warned).toBe(warnings.length > 0 ? 1 : 0);
    expect(change?.message).toContain(says);
    const wanted = Object.values(rules)
      .flat()
      .filter((rule) => rule !== null);
    expect(change?.rules).toEqual(expect.arrayContaining(wanted));
  });

  it("was asked about all but the cases that it cannot be asked about", () => {
    expect(ran.length).toBeGreaterThanOrEqual(300);
    expect(ran.length + Object.values(left).reduce((sum, count) => sum + count, 0)).toBe(cases.length);
  });
});
