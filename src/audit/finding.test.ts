import { describe, expect, it } from "vitest";
import { readBaseline, writeBaseline } from "./baseline.ts";
import { deployment, findingsIn } from "./testing/findings.ts";

const moving = deployment("image: ghcr.io/a:main");
const rulesOf = (text: string, options: Parameters<typeof findingsIn>[1] = {}) =>
  findingsIn(text, options).map(({ ruleId }) => ruleId);

describe("a moving tag without a pull policy", () => {
  it("is one finding, which says what the missing policy means and makes its fix", () => {
    const [finding, ...others] = findingsIn(moving);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      ruleId: "tag-moving",
      message: expect.stringMatching(
        /moves: .*; without imagePullPolicy, the API server uses IfNotPresent, so a node keeps the first image that it pulled$/,
      ),
      advice: expect.stringMatching(/DIGEST\. If the tag should move, write imagePullPolicy: Always\.$/),
      fix: { description: "set imagePullPolicy to Always", isPartial: true },
    });
  });

  it.each([
    ["the rule of the tag is off", moving, { severities: new Map([["tag-moving", "off"]] as const) }],
    [
      "a comment leaves the tag's finding out",
      moving.replace("main", "main # pulley:ignore tag-moving it is ours"),
      {},
    ],
  ])("is told as such where %s", (_, text, options) => {
    expect(rulesOf(text, options)).toEqual(["policy-missing-surprises"]);
    expect(findingsIn(text, options)[0]?.fix).toMatchObject({ description: "set imagePullPolicy to Always" });
    expect(findingsIn(text, options)[0]?.fix?.isPartial).toBeUndefined();
  });

  it("is not mentioned where a comment leaves that out", () => {
    const text = moving.replace(
      "- name: c0",
      "- name: c0 # pulley:ignore policy-missing-surprises nodes are new each day",
    );
    const [finding, ...others] = findingsIn(text);
    expect([finding?.ruleId, others.length, finding?.fix]).toEqual(["tag-moving", 0, undefined]);
    expect(finding?.message).not.toContain("imagePullPolicy");
  });

  it("is in a baseline as two findings, of which either can come back by itself", () => {
    const baseline = readBaseline(writeBaseline(findingsIn(moving)), "baseline.json");
    expect(baseline.entries.size).toBe(2);
    expect(rulesOf(moving, { baseline })).toEqual([]);
    const always = deployment("image: ghcr.io/a:main\nimagePullPolicy: Always");
    const older = readBaseline(writeBaseline(findingsIn(always)), "baseline.json");
    expect(rulesOf(moving, { baseline: older })).toEqual(["policy-missing-surprises"]);
  });
});
