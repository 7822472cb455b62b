/** Where images are fetched from. */
import { absent, type Case, copy, now, policyOf, requestFor, unknown } from "./case.ts";

const eu = "https://mirror.eu.acme.io";
const us = "https://mirror.us.acme.io";
const hub = "https://registry-1.docker.io";

const table: readonly (readonly [object, string, readonly string[], "Listed" | "Fastest"])[] = [
  [{ mirrors: [eu] }, "nginx", [eu, hub], "Listed"],
  [{ mirrors: [eu, us] }, "nginx", [eu, us, hub], "Listed"],
  [{ mirrors: [us, eu], order: "Listed", origin: "Fallback" }, "nginx", [us, eu, hub], "Listed"],
  [{ mirrors: [eu, us], order: "Fastest" }, "nginx", [eu, us, hub], "Fastest"],
  [{ mirrors: [eu], origin: "Never" }, "nginx", [eu], "Listed"],
  [{ mirrors: [eu, us], order: "Fastest", origin: "Never" }, "quay.io/a/b:1", [eu, us], "Fastest"],
  [{ mirrors: [`${eu}/`] }, "quay.io/a/b:1", [eu, "https://quay.io"], "Listed"],
  [{ mirrors: [`${eu}/hub`] }, "nginx", [`${eu}/hub`, hub], "Listed"],
  [{ mirrors: [eu, eu] }, "nginx", [eu, hub], "Listed"],
  [{ mirrors: [hub, eu] }, "nginx", [hub, eu], "Listed"],
  [{ mirrors: ["http://127.0.0.1:5000"] }, "nginx", ["http://127.0.0.1:5000", hub], "Listed"],
  [{ mirrors: ["http://mirror:5000"], plainHttp: true }, "nginx", ["http://mirror:5000", hub], "Listed"],
  [{ mirrors: [eu] }, "localhost:5000/app", [eu, "http://localhost:5000"], "Listed"],
];

const asked = table.flatMap(([from, image, sources, order]) =>
  (["Check", "Pull"] as const).map(
    (action): Case => ({
      name: `${action} ${image} by ${JSON.stringify(from)}`,
      policy: policyOf([{ name: "near", from }]),
      request: requestFor(image, { pullPolicy: action === "Check" ? "Always" : "IfNotPresent" }),
      facts: absent,
      now,
      expected: { action, sources, order, rules: { from: "p/near" } },
    }),
  ),
);

const unasked: readonly Case[] = [
  {
    name: "mirrors change nothing where no registry is asked",
    policy: policyOf([{ name: "near", from: { mirrors: [eu], origin: "Never" } }]),
    request: requestFor("app:1", { pullPolicy: "IfNotPresent" }),
    facts: copy(0),
    now,
    expected: { action: "Use", rules: { from: "p/near" } },
  },
  {
    name: "the first matching rule's mirrors are the only ones",
    policy: policyOf([
      { name: "hub", match: { images: ["docker.io"] }, from: { mirrors: [eu] } },
      { name: "all", from: { mirrors: [us], origin: "Never" } },
    ]),
    request: requestFor("nginx"),
    facts: unknown,
    now,
    expected: { action: "Check", sources: [eu, hub], rules: { from: "p/hub" } },
  },
];

export const fromCases: readonly Case[] = [...asked, ...unasked];
