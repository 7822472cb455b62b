/** `audit` finds fault with the images that the table refuses because of what they are, and with no others. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Case, cases } from "../../src/policy/cases.ts";
import type { RefusalReason } from "../../src/policy/index.ts";
import { call, folderForTests, manifestOf, policyFlags } from "./command-line.ts";
import { expressible, named } from "./expressible.ts";

interface Report {
  readonly findings: readonly { readonly ruleId: string; readonly message: string }[];
}

/** Findings by the reason of a refusal that depends on nothing but the manifest. */
const findingFor: Partial<Readonly<Record<RefusalReason, string>>> = {
  ImageDenied: "not-allowed",
  RequirementNotMet: "requirement-not-met",
  InvalidImageName: "reference-invalid",
};

const folder = folderForTests();
const { ran, left } = expressible("audit");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

async function audit(each: Case): Promise<{ report: Report; status: number }> {
  vi.setSystemTime(each.now);
  const { stdout, status } = await call(
    ["audit", "-o", "json", "--fail-on", "error", ...policyFlags(each, folder), "-"],
    manifestOf(each),
  );
  return { report: JSON.parse(stdout), status };
}

describe("audit", () => {
  it.each(named(ran))("%s", async (_, each) => {
    const { reason, says = "", warnings = [] } = each.expected;
    const wanted = reason && findingFor[reason];
    const { report, status } = await audit(each);
    const found = report.findings.filter(({ ruleId }) => Object.values(findingFor).includes(ruleId));
    // What reads like a placeholder is taken for one.
    if (each.request.image.given === "FAILED_IMAGE")
      return expect(report.findings.map(({ ruleId }) => ruleId)).toContain("image-placeholder");
    // An empty image is missing; what is there can be wrong.
    if (each.request.image.given === "")
      return expect(report.findings.map(({ ruleId }) => ruleId)).toContain("image-missing");
    const onTrial = report.findings.filter(({ ruleId }) => ruleId === "rule-on-trial").map(({ message }) => message);
    const ofImage = warnings.filter((warning) => /ImageDenied|RequirementNotMet/.test(warning));
    for (const warning of ofImage)
      expect(onTrial.join()).toContain(warning.replace(" ", " is on trial and would refuse with "));
    if (ofImage.length === 0) expect(onTrial).toEqual([]);
    expect(found.map(({ ruleId }) => ruleId)).toEqual(wanted === undefined ? [] : [wanted]);
    if (wanted !== undefined) {
      expect(found[0]?.message).toContain(says);
      expect(status).toBe(1);
    }
  });

  it("was asked about all but the cases that it cannot be asked about", () => {
    expect(ran.length).toBeGreaterThanOrEqual(cases.length * 0.9);
    expect(ran.length + Object.values(left).reduce((sum, count) => sum + count, 0)).toBe(cases.length);
  });
});
