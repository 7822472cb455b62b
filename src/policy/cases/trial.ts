/** Rules on trial (`mode: Warn`): what happens is what would happen without them, and a warning says what they would refuse. */
import { absent, type Case, copy, type Expected, now, policyOf, requestFor, unknown } from "./case.ts";

const mode = "Warn";
const hour = 3_600_000;
const deny = { name: "try", mode, admit: "Deny", message: "Not here." };
const denied: Expected = { action: "Pull", warnings: ["p/try ImageDenied"] };
const weekdays = { pull: ["Mon-Fri 08:00-18:00"] };
const big = { labels: {}, size: 2000, platforms: [] };

type Line = readonly [name: string, rules: readonly object[], expected: Expected, facts?: Case["facts"]];

const lines: readonly Line[] = [
  ["a denial refuses nothing", [deny], { ...denied, rules: { admit: null } }],
  [
    "a denial leaves the next rule to decide",
    [deny, { name: "no", admit: "Deny" }],
    { action: "Refuse", reason: "ImageDenied", rules: { admit: "p/no" }, warnings: [] },
  ],
  [
    "a denial behind a permission says nothing",
    [{ name: "yes", admit: "Allow" }, deny],
    { action: "Pull", warnings: [] },
  ],
  [
    "a permission keeps a denial on trial from warning",
    [{ name: "yes", mode, match: { images: ["docker.io"] }, admit: "Allow" }, deny],
    { action: "Pull", warnings: [] },
  ],
  [
    "a permission permits nothing",
    [
      { name: "yes", mode, admit: "Allow" },
      { name: "no", admit: "Deny" },
    ],
    { action: "Refuse", reason: "ImageDenied", rules: { admit: "p/no" }, warnings: [] },
  ],
  [
    "an unmet requirement is let through",
    [{ name: "try", mode, require: { digest: true } }],
    { action: "Pull", rules: { require: null }, warnings: ["p/try RequirementNotMet"] },
  ],
  [
    "each rule that is not met warns",
    [deny, { name: "pin", mode, require: { digest: true } }, { name: "tagged", mode, require: { tag: true } }],
    { action: "Pull", warnings: ["p/try ImageDenied", "p/pin RequirementNotMet"] },
  ],
  [
    "what an image says of itself is looked at where it is known",
    [{ name: "try", mode, require: { maxSize: 1000 } }],
    { action: "Use", pending: [], warnings: ["p/try RequirementNotMet"] },
    { ...copy(hour), copy: big },
  ],
  [
    "what an image says of itself is not pending: nothing can be refused for it",
    [{ name: "try", mode, require: { maxSize: 1000 } }],
    { action: "Pull", pending: [], warnings: [] },
  ],
  [
    "a closed window closes nothing",
    [{ name: "try", mode, when: weekdays }],
    { action: "Pull", rules: { when: null }, warnings: ["p/try OutsidePullWindow"] },
    absent,
  ],
  [
    "a closed window leaves the next rule to decide",
    [
      { name: "try", mode, when: weekdays },
      { name: "shut", when: weekdays },
    ],
    { action: "Refuse", reason: "OutsidePullWindow", rules: { when: "p/shut" }, warnings: [] },
    absent,
  ],
  [
    "an open window opens nothing",
    [
      { name: "try", mode, when: { pull: ["*"] } },
      { name: "shut", when: weekdays },
    ],
    { action: "Refuse", reason: "OutsidePullWindow", rules: { when: "p/shut" }, warnings: [] },
    absent,
  ],
  [
    "a closed window that would have a copy used refuses nothing",
    [{ name: "try", mode, when: weekdays }],
    { action: "Use", warnings: [] },
    copy(hour),
  ],
  [
    "Never is not heeded",
    [{ name: "try", mode, pull: { policy: "Never" } }],
    { action: "Pull", pullPolicy: "IfNotPresent", rules: { pull: null }, warnings: ["p/try ErrImageNeverPull"] },
    absent,
  ],
  [
    "a copy is not too old",
    [{ name: "try", mode, pull: { policy: "Never", maxStaleness: "1m" } }],
    { action: "Use", rules: { pull: null }, warnings: ["p/try CachedCopyTooOld"] },
    copy(hour),
  ],
  [
    "a copy that would be asked about refuses nothing",
    [{ name: "try", mode, pull: { maxStaleness: "1m" } }],
    { action: "Use", warnings: [] },
    copy(hour),
  ],
  [
    "mirrors are not asked",
    [{ name: "try", mode, from: { mirrors: ["https://mirror.acme.io"], origin: "Never" } }],
    { action: "Pull", sources: ["https://registry-1.docker.io"], rules: { from: null }, warnings: [] },
    absent,
  ],
  [
    "a denial whose expression fails warns",
    [{ ...deny, match: { expression: 'workload.labels["missing"] == "x"' } }],
    denied,
  ],
  ["Enforce is what holds anyway", [{ ...deny, mode: "Enforce" }], { action: "Refuse", reason: "ImageDenied" }],
];

const exemption = { match: { images: ["**"] }, owner: "a", reason: "b", expires: "2027-01-31" };

export const trialCases: readonly Case[] = [
  ...lines.map(
    ([name, rules, expected, facts = unknown]): Case => ({
      name: `on trial: ${name}`,
      policy: policyOf(rules),
      request: requestFor("nginx:1", { pullPolicy: "IfNotPresent" }),
      facts,
      now,
      expected,
    }),
  ),
  {
    name: "on trial: an exemption lifts the warning",
    policy: policyOf([deny], { exemptions: [{ rules: ["try"], ...exemption }] }),
    request: requestFor("nginx:1"),
    facts: unknown,
    now,
    expected: { action: "Pull", warnings: [] },
  },
];
