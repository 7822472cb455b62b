import { describe, expect, it } from "vitest";
import { readPolicy } from "../policy/index.ts";
import { deployment, digest, findingsIn, told } from "./testing/findings.ts";

const now = Date.parse("2026-11-21T00:00:00Z");

function policyOf(spec: string) {
  const text = `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: {name: p}\nspec:\n${spec}`;
  const { policy, problems } = readPolicy([{ file: "policy.yaml", text }]);
  expect(problems).toEqual([]);
  return policy;
}

const rules = `  rules:
    - name: ours
      match: {images: ["ghcr.io/**"]}
      admit: Allow
    - name: nothing-else
      admit: Deny
      message: Images come from ghcr.io.
    - name: sane
      require: {digest: true}
`;

describe("an audit by a policy", () => {
  const policy = policyOf(rules);

  it("tells of images that are not allowed, with what the policy says", () => {
    expect(told(deployment(`image: quay.io/a@${digest}`), { policy, now })).toMatchObject([
      {
        rule: "not-allowed",
        severity: "error",
        covered: `quay.io/a@${digest}`,
        message: expect.stringContaining("Images come from ghcr.io."),
      },
    ]);
  });

  it("tells of images that are not as required", () => {
    expect(told(deployment("image: ghcr.io/a:1"), { policy, now })).toMatchObject([
      {
        rule: "requirement-not-met",
        severity: "error",
        covered: "ghcr.io/a:1",
        message: expect.stringContaining("digest"),
      },
    ]);
  });

  it("has nothing against the others, and nothing without a policy", () => {
    expect(told(deployment(`image: ghcr.io/a@${digest}`), { policy, now })).toEqual([]);
    expect(told(deployment(`image: quay.io/a@${digest}`), { now })).toEqual([]);
  });

  it("does not judge a pull policy that the policy replaces", () => {
    const pull = policyOf("  rules:\n    - name: fresh\n      match: {tags: [main]}\n      pull: {policy: Always}\n");
    const text = deployment(
      "image: ghcr.io/a:main\nimagePullPolicy: IfNotPresent",
      "image: ghcr.io/a:edge\nimagePullPolicy: IfNotPresent",
    );
    const covered = told(text, { policy: pull, now }).filter(({ rule }) => rule === "moving-tag-not-always");
    expect(covered).toHaveLength(1);
    const twice = deployment(
      "image: ghcr.io/a:main\nimagePullPolicy: IfNotPresent",
      "image: ghcr.io/a:main\nimagePullPolicy: Always",
    );
    expect(told(twice, { policy: pull, now }).map(({ rule }) => rule)).toEqual(["tag-moving", "tag-moving"]);
    const wrong = deployment("image: ghcr.io/a:main\nimagePullPolicy: always");
    expect(told(wrong, { policy: pull, now }).map(({ rule }) => rule)).toContain("policy-value-invalid");
  });

  it("tells of exemptions that have expired or lift nothing, at their places", () => {
    const exemptions = `${rules}  exemptions:
    - {rules: [sane], match: {namespaces: [prod]}, owner: a, reason: b, expires: 2027-01-31}
    - {rules: [sane], match: {namespaces: [prod]}, owner: a, reason: b, expires: 2026-01-31}
    - {rules: [sane], match: {namespaces: [gone]}, owner: a, reason: b, expires: 2027-01-31}
`;
    const found = findingsIn(deployment("image: ghcr.io/a:1"), { policy: policyOf(exemptions), now });
    expect(found.map(({ ruleId, severity, region: { file, line } }) => [ruleId, severity, file, line])).toEqual([
      ["exemption-expired", "warning", "policy.yaml", 16],
      ["exemption-unused", "note", "policy.yaml", 17],
    ]);
    expect(new Set(found.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });
});

describe("custom resources that a policy knows", () => {
  const policy = policyOf(`${rules}  customResources:
    - apiGroup: "*.acme.example"
      kinds: [Shop]
      images: ["spec.engines[*].image", spec.tools.backup.image]
`);
  const shop = `apiVersion: eu.acme.example/v1
kind: Shop
metadata: {name: s, namespace: prod}
spec:
  engines:
    - {name: a, image: "ghcr.io/a@${digest}"}
    - {image: quay.io/b:edge, imagePullPolicy: IfNotPresent}
  tools: {backup: {image: ghcr.io/c:1}}
`;

  it("are judged at each of their images", () => {
    const findings = findingsIn(shop, { policy, now });
    expect(findings.map(({ ruleId, region, container }) => [ruleId, region.line, container?.name])).toEqual([
      ["tag-moving", 7, "engines"],
      ["not-allowed", 7, "engines"],
      ["moving-tag-not-always", 7, "engines"],
      ["requirement-not-met", 8, "backup"],
    ]);
  });

  it("are not known without it", () => {
    expect(findingsIn(shop, { policy: policyOf(rules), now })).toEqual([]);
  });
});
