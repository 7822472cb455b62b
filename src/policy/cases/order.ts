/** The order in which rules are read, documents, exemptions, and what happens when an expression fails. */
import { absent, type Case, copy, document, type Expected, now, policyOf, requestFor, unknown } from "./case.ts";

const deny = { name: "deny", admit: "Deny", message: "Not here." };
const allow = { name: "allow", admit: "Allow" };
const hub = { match: { images: ["docker.io"] } };
const acme = { match: { images: ["registry.acme.io"] } };
const labelled = { match: { imageLabels: { matchLabels: { a: "b" } } } };
/** There is no such label: this fails. */
const failing = { match: { expression: 'workload.labels["missing"] == "x"' } };
const bare = { ...unknown, image: { labels: {}, size: 1, platforms: [] } };
const fitting = { ...unknown, image: { labels: { a: "b" }, size: 1, platforms: [] } };

const denied: Expected = { action: "Refuse", reason: "ImageDenied" };
const pulled: Expected = { action: "Pull" };

type Line = readonly [name: string, rules: readonly object[], expected: Expected, facts?: Case["facts"]];

const admitting: readonly Line[] = [
  [
    "the first rule decides: a denial before a permission",
    [deny, allow],
    { ...denied, rules: { admit: "p/deny" }, says: "Not here." },
  ],
  ["the first rule decides: a permission before a denial", [allow, deny], { ...pulled, rules: { admit: "p/allow" } }],
  [
    "a rule that does not match is passed over",
    [{ ...deny, ...acme }, allow],
    { ...pulled, rules: { admit: "p/allow" } },
  ],
  [
    "what is allowed first is not denied later",
    [{ ...allow, ...hub }, deny],
    { ...pulled, rules: { admit: "p/allow" } },
  ],
  [
    "what is not allowed first is denied later",
    [{ ...allow, ...acme }, deny],
    { ...denied, rules: { admit: "p/deny" } },
  ],
  [
    "a denial without a message names its rule",
    [{ name: "no", admit: "Deny" }],
    { ...denied, says: "is denied by p/no" },
  ],
  [
    "a permission that may not apply is pending before a denial",
    [{ ...allow, ...labelled }, deny],
    { ...pulled, rules: { admit: "p/allow" }, pending: ["admit"] },
  ],
  [
    "a permission that applies ends it",
    [{ ...allow, ...labelled }, deny],
    { ...pulled, rules: { admit: "p/allow" }, pending: [] },
    fitting,
  ],
  [
    "a permission that does not apply does not",
    [{ ...allow, ...labelled }, deny],
    { ...denied, rules: { admit: "p/deny" } },
    bare,
  ],
  [
    "a denial that may apply is pending before a permission",
    [{ ...deny, ...labelled }, allow],
    { ...pulled, rules: { admit: "p/deny" }, pending: ["admit"] },
  ],
  [
    "nothing is pending where all say the same: permissions",
    [{ ...allow, ...labelled }],
    { ...pulled, rules: { admit: null }, pending: [] },
  ],
  [
    "nothing is pending where all say the same: denials",
    [
      { ...deny, ...labelled },
      { name: "no", admit: "Deny" },
    ],
    { ...denied, rules: { admit: "p/no" } },
  ],
  [
    "a denial whose expression fails denies",
    [{ ...deny, ...failing }, allow],
    { ...denied, rules: { admit: "p/deny" } },
  ],
  [
    "a permission whose expression fails does not permit",
    [{ ...allow, ...failing }, deny],
    { ...denied, rules: { admit: "p/deny" } },
  ],
  [
    "requirements whose expression fails hold",
    [{ name: "r", ...failing, require: { digest: true } }],
    { action: "Refuse", reason: "RequirementNotMet", rules: { require: "p/r" } },
  ],
  [
    "a pull policy whose expression fails does not hold",
    [{ name: "r", ...failing, pull: { policy: "Never" } }],
    { ...pulled, rules: { pull: null } },
  ],
  [
    "mirrors whose expression fails are not used",
    [{ name: "r", ...failing, from: { mirrors: ["https://m.io"] } }],
    { ...pulled, rules: { from: null } },
  ],
  [
    "closed windows whose expression fails are closed",
    [{ name: "r", ...failing, when: { pull: ["Mon"], otherwise: "Deny" } }],
    { action: "Refuse", reason: "OutsidePullWindow", rules: { when: "p/r" } },
    absent,
  ],
  [
    "open windows whose expression fails open nothing",
    [
      { name: "r", ...failing, when: { pull: ["*"] } },
      { name: "s", when: { pull: ["Mon"] } },
    ],
    { action: "Refuse", reason: "OutsidePullWindow", rules: { when: "p/s" } },
    absent,
  ],
  [
    "each subject has its own first rule",
    [
      { ...allow, ...hub },
      { name: "b", pull: { policy: "Always" } },
      { name: "c", pull: { policy: "Never" }, require: { tag: true }, admit: "Deny" },
    ],
    {
      action: "Check",
      pullPolicy: "Always",
      rules: { admit: "p/allow", pull: "p/b", when: null, from: null, require: "p/c" },
    },
  ],
  [
    "the settings of two rules are never mixed",
    [
      { name: "a", pull: { policy: "Always" } },
      { name: "b", pull: { checkEvery: "10m", whenUnreachable: "UseCached" } },
    ],
    { action: "Check", whenUnreachable: "Fail", rules: { pull: "p/a" } },
    copy(0),
  ],
];

const read = admitting.map(
  ([name, rules, expected, facts = unknown]): Case => ({
    name,
    policy: policyOf(rules),
    request: requestFor("nginx:1"),
    facts,
    now,
    expected,
  }),
);

const two = [
  document("first", { selector: { namespaces: ["prod-*"] }, rules: [{ ...deny, ...hub }] }),
  document("second", { rules: [allow, { name: "all", pull: { policy: "Always" } }] }),
].join("\n---\n");

const documents: readonly Case[] = (
  [
    ["prod-eu", { ...denied, rules: { admit: "first/deny", pull: "second/all" } }],
    ["dev", { action: "Check", rules: { admit: "second/allow", pull: "second/all" } }],
  ] as const
).map(([namespace, expected]) => ({
  name: `documents are read in their order, and govern what they select: ${namespace}`,
  policy: two,
  request: requestFor("nginx:1", { namespace }),
  facts: unknown,
  now,
  expected,
}));

const legacy = { match: { namespaces: ["legacy"] }, owner: "team-payments", reason: "PAY-1182", expires: "2027-01-31" };
const day = 86_400_000;

/** What changes in the exemption, the namespace, the time, what is known, and what is expected. */
const exempting: readonly (readonly [string, object, string, number, Case["facts"], Expected])[] = [
  ["lifts the rule that it names", {}, "legacy", now, unknown, { ...pulled, rules: { admit: null } }],
  ["lifts it from nothing else", {}, "default", now, unknown, { ...denied, rules: { admit: "p/deny" } }],
  ["lifts no other rule", { rules: ["small"] }, "legacy", now, unknown, denied],
  [
    "lifts several rules",
    { rules: ["deny", "small"] },
    "legacy",
    now,
    bare,
    { ...pulled, rules: { admit: null, require: null } },
  ],
  ["holds to the end of its last day in UTC", {}, "legacy", Date.parse("2027-01-31T23:59:59.999Z"), unknown, pulled],
  ["has no effect from the next day on", {}, "legacy", Date.parse("2027-02-01T00:00:00Z"), unknown, denied],
  ["holds to its moment", { expires: "2026-11-21T13:00:00.001+01:00" }, "legacy", now, unknown, pulled],
  ["has no effect from its moment on", { expires: "2026-11-21T13:00:00+01:00" }, "legacy", now, unknown, denied],
  [
    "had no effect long ago either, once it has expired",
    { expires: "2020-01-01" },
    "legacy",
    now - day,
    unknown,
    denied,
  ],
  [
    "that may not apply leaves the denial pending",
    labelled,
    "legacy",
    now,
    unknown,
    { ...pulled, rules: { admit: "p/deny" }, pending: ["admit", "require"] },
  ],
  [
    "that applies once the image is known",
    labelled,
    "legacy",
    now,
    fitting,
    { ...pulled, rules: { admit: null }, pending: [] },
  ],
  [
    "that does not apply once the image is known",
    labelled,
    "legacy",
    now,
    bare,
    { ...denied, rules: { admit: "p/deny" } },
  ],
  ["whose expression fails lifts nothing", failing, "legacy", now, unknown, denied],
];

const exemptions = exempting.map(
  ([name, changes, namespace, at, facts, expected]): Case => ({
    name: `an exemption ${name}`,
    policy: policyOf([deny, { name: "small", require: { maxSize: 1 } }], {
      exemptions: [{ rules: ["deny"], ...legacy, ...changes }],
    }),
    request: requestFor("nginx:1", { namespace }),
    facts,
    now: at,
    expected,
  }),
);

const reading: readonly Case[] = [
  {
    name: "an exemption from a permission leaves what follows",
    policy: policyOf([allow, deny], { exemptions: [{ rules: ["allow"], ...legacy }] }),
    request: requestFor("nginx:1", { namespace: "legacy" }),
    facts: unknown,
    now,
    expected: { ...denied, rules: { admit: "p/deny" } },
  },
  {
    name: "an exemption lifts the rules of its own document only",
    policy: [
      document("one", { rules: [allow], exemptions: [{ rules: ["allow"], ...legacy }] }),
      document("two", { rules: [{ ...allow, admit: "Deny" }] }),
    ].join("\n---\n"),
    request: requestFor("nginx:1", { namespace: "legacy" }),
    facts: unknown,
    now,
    expected: { ...denied, rules: { admit: "two/allow" } },
  },
  {
    name: "an exemption lifts closed windows",
    policy: policyOf([{ name: "calm", when: { pull: ["Mon"], otherwise: "Deny" } }], {
      exemptions: [{ rules: ["calm"], ...legacy }],
    }),
    request: requestFor("nginx:1", { namespace: "legacy" }),
    facts: absent,
    now,
    expected: { ...pulled, rules: { when: null } },
  },
];

export const orderCases: readonly Case[] = [...read, ...documents, ...exemptions, ...reading];
