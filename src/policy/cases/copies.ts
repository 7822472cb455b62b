/** What a copy says of itself, and where that counts. */
import type { ImageFacts, LocalFacts } from "../types.ts";
import { type Case, copy, type Expected, now, policyOf, requestFor } from "./case.ts";

const beta: ImageFacts = { labels: { stage: "beta" }, size: 2000, platforms: ["linux/amd64"] };
const stable: ImageFacts = { labels: { stage: "stable" }, size: 1, platforms: ["linux/amd64"] };

const noBeta = { name: "no-beta", match: { imageLabels: { matchLabels: { stage: "beta" } } }, admit: "Deny" };
const small = { name: "small", require: { maxSize: 1000 } };
const closed = { name: "closed", when: { pull: ["Mon-Fri 08:00-18:00"] } };

const hour = 3_600_000;

function saying(said: ImageFacts, age: number | undefined = 60_000): LocalFacts {
  return { ...copy(age), copy: said };
}

type Line = readonly [name: string, rules: readonly object[], policy: "Always" | "IfNotPresent" | "Never", Expected];

const denied: Expected = { action: "Refuse", reason: "ImageDenied", pending: [] };
const tooBig: Expected = { action: "Refuse", reason: "RequirementNotMet", says: "it has 2000 bytes", pending: [] };

const ofBeta: readonly Line[] = [
  ["is denied where it would be used", [noBeta], "IfNotPresent", { ...denied, rules: { admit: "p/no-beta" } }],
  ["is not what is required where it would be used", [small], "IfNotPresent", tooBig],
  ["is denied under Never", [noBeta], "Never", denied],
  ["is denied before it is too old under Never", [noBeta, stale(hour)], "Never", denied],
  ["is denied outside of a window where it would be used", [noBeta, closed], "Always", denied],
  [
    "says nothing about what a registry has now: a denial is open",
    [noBeta],
    "Always",
    { action: "Check", rules: { admit: "p/no-beta" }, pending: ["admit"] },
  ],
  [
    "says nothing about what a registry has now: a requirement is open",
    [small],
    "Always",
    { action: "Check", rules: { require: "p/small" }, pending: ["require"] },
  ],
  [
    "that is too old says nothing about what a registry has now",
    [noBeta, small, stale(1)],
    "IfNotPresent",
    { action: "Check", pending: ["admit", "require"], whenUnreachable: "RefuseAsTooOld", unreached: "ImageDenied" },
  ],
  [
    "is denied where it would have to stand in for a registry",
    [noBeta, { name: "fresh", pull: { whenUnreachable: "UseCached" } }],
    "Always",
    { action: "Check", pending: ["admit"], whenUnreachable: "UseCached", unreached: "ImageDenied" },
  ],
  [
    "does not count where a registry would be asked, and may not be",
    [noBeta, { ...closed, when: { ...closed.when, otherwise: "Deny" } }],
    "Always",
    { action: "Refuse", reason: "OutsidePullWindow" },
  ],
  [
    "is asked about where a rule about its labels says so",
    [{ name: "beta", match: noBeta.match, pull: { policy: "Always" } }],
    "IfNotPresent",
    { action: "Check", rules: { pull: "p/beta" }, pullPolicy: "Always" },
  ],
  [
    "that a rule about its labels has asked about is not judged, but what the registry has",
    [{ name: "beta", match: noBeta.match, pull: { policy: "Always" } }, small],
    "IfNotPresent",
    { action: "Check", rules: { pull: "p/beta" }, pending: ["require"] },
  ],
];

function stale(milliseconds: number): object {
  return { name: "fresh", pull: { maxStaleness: `${milliseconds}ms` } };
}

export const copyCases: readonly Case[] = [
  ...ofBeta.map(
    ([name, rules, pullPolicy, expected]): Case => ({
      name: `a copy ${name}`,
      policy: policyOf(rules),
      request: requestFor("nginx:1", { pullPolicy }),
      facts: saying(beta),
      now,
      expected,
    }),
  ),
  {
    name: "a copy that is what it must be is used",
    policy: policyOf([noBeta, small]),
    request: requestFor("nginx:1", { pullPolicy: "IfNotPresent" }),
    facts: saying(stable),
    now,
    expected: { action: "Use", pending: [] },
  },
  {
    name: "a copy that is what it must be says nothing about what a registry has now",
    policy: policyOf([noBeta, small]),
    request: requestFor("nginx:1", { pullPolicy: "Always" }),
    facts: saying(stable),
    now,
    expected: { action: "Check", pending: ["admit", "require"] },
  },
];
