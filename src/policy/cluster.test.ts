import { expect, it } from "vitest";
import { now, policyOf, requestFor, unknown } from "./cases/case.ts";
import { decide } from "./decide.ts";
import { readPolicy } from "./language/read.ts";

const clusters = ["eu-*"];
const rule = { name: "eu", match: { clusters }, admit: "Deny" };
const { policy } = readPolicy([{ file: "p.yaml", text: policyOf([rule]) }]);

it.each([
  [undefined, undefined, "Pull"],
  ["eu-1", undefined, "Refuse"],
  ["us-1", undefined, "Pull"],
  ["eu-1", "us-1", "Pull"],
  ["us-1", "eu-1", "Refuse"],
])("of a policy for %s, a request from %s is decided: %s", (cluster, own, action) => {
  const request = requestFor("nginx:1", own === undefined ? {} : { cluster: own });
  expect(decide(request, { ...policy, cluster }, unknown, now).action).toBe(action);
});

it("warns of every place that is about clusters, and of no other", () => {
  const exemption = { owner: "a", reason: "b", expires: "2027-01-31", match: { clusters } };
  const text = policyOf([rule, { name: "all", admit: "Allow" }], {
    selector: { clusters },
    exemptions: [{ rules: ["eu"], ...exemption }],
  });
  const read = readPolicy([{ file: "p.yaml", text }]);
  expect(read.problems).toEqual([]);
  const why = "eu-*: it matches nothing, for no cluster's name is known; give it with --cluster";
  expect(read.warnings.map(({ message }) => message)).toEqual([
    `p/selector: ${why}`,
    `p/eu: ${why}`,
    `p/exemptions[0]: ${why}`,
  ]);
  expect(readPolicy([{ file: "p.yaml", text }], "eu-1").warnings).toEqual([]);
});
