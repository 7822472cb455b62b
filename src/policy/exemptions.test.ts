import { describe, expect, it } from "vitest";
import { document, requestFor } from "./cases/case.ts";
import { prepare } from "./decide.ts";
import { exemptionFindings } from "./exemptions.ts";
import { readPolicy } from "./language/read.ts";

const about = { owner: "team-payments", reason: "PAY-1182", expires: "2027-01-31" };
const rules = [
  { name: "sane", match: { images: ["docker.io"] }, require: { tag: true } },
  { name: "near", match: { images: ["quay.io"] }, from: { mirrors: ["https://mirror.acme.io"] } },
];
const exemptions = [
  { rules: ["sane"], match: { namespaces: ["legacy"] }, ...about },
  { rules: ["near"], match: { namespaces: ["legacy"] }, ...about },
  { rules: ["sane"], match: { namespaces: ["old"] }, ...about, expires: "2026-06-30" },
];
const { policy } = readPolicy([{ file: "p.json", text: document("p", { rules, exemptions }) }]);
const now = Date.parse("2026-11-21T12:00:00Z");

describe("an exemption is used", () => {
  it.each([
    ["where it lifts a rule that is about the image", "nginx", "legacy", ["p/exemptions[0]"]],
    ["but not where no rule is about the image", "ghcr.io/a/b", "legacy", []],
    ["nor where it does not match", "nginx", "default", []],
    ["nor once it has expired", "nginx", "old", []],
    ["nor by what is no image", "a//b", "legacy", []],
  ])("%s", (_, image, namespace, used) => {
    expect(prepare(requestFor(image, { namespace }), policy, now).exemptions).toEqual(used);
  });
});

it("what expired and what is of no use is found", () => {
  const findings = exemptionFindings(policy, now, new Set(["p/exemptions[0]"]));
  expect(findings.map(({ exemption, kind, message }) => [exemption.id, kind, message])).toEqual([
    ["p/exemptions[1]", "unused", "p/exemptions[1] lifts near from nothing: remove it"],
    [
      "p/exemptions[2]",
      "expired",
      "p/exemptions[2] expired at 2026-06-30 and has no effect: team-payments has to renew or remove it",
    ],
  ]);
});
