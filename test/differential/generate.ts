/** Situations by chance: the same seed gives the same. What is chosen from is small, so that rules meet. */
import { type Dice, diceFrom } from "../../examples/world/dice.ts";
import { expressions } from "./matching.ts";
import type { Asker, Copy, Document, Exemption, Match, Rule, Says, Selector, Situation, Written } from "./situation.ts";

const digest = `sha256:${"a".repeat(64)}`;
const nginx = { host: "docker.io", path: ["library", "nginx"] };
const app = { host: "quay.io", path: ["acme", "app"] };
const main = { host: "registry.acme.io:5000", path: ["team", "sub", "main"] };

const images: readonly [Written, ...Written[]] = [
  { text: "nginx", name: nginx, tag: "latest" },
  { text: "nginx:latest", name: nginx, tag: "latest", tagged: true },
  { text: "nginx:1.27", name: nginx, tag: "1.27", tagged: true },
  { text: "index.docker.io/library/nginx:1.27", name: nginx, tag: "1.27", tagged: true },
  { text: "docker.io/nginx", name: nginx, tag: "latest" },
  { text: "quay.io/acme/app:1.0-rc1", name: app, tag: "1.0-rc1", tagged: true },
  { text: `quay.io/acme/app:1.0@${digest}`, name: app, tag: "1.0", tagged: true, digest },
  { text: `quay.io/acme/app@${digest}`, name: app, digest },
  { text: "registry.acme.io:5000/team/sub/main:main", name: main, tag: "main", tagged: true },
  { text: "registry.acme.io:5000/team/sub/main", name: main, tag: "latest" },
  { text: "Quay.io//app" },
];

/** Saturday, Monday morning, Christmas Eve. */
const times = ["2026-11-21T12:00:00Z", "2026-11-23T09:30:00Z", "2026-12-24T18:00:00Z"].map((text) => Date.parse(text));
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const ages = [-hour, 0, 5 * minute, 10 * minute, 59 * minute, hour, 25 * hour, 40 * day];

export function situationFrom(seed: string): Situation {
  const dice = diceFrom(seed);
  const now = oneOf(dice, times);
  const copy = dice.chance(0.7) ? copyAt(dice, now) : undefined;
  const names = some(dice, ["b", "a", "c"], 1);
  return {
    seed,
    documents: names.map((name) => documentNamed(dice, name)),
    ...(dice.chance(0.5) && { cluster: dice.pick(["eu-1", "us-1"]) }),
    asker: askerOf(dice),
    ...(copy && { copy }),
    ...(dice.chance(0.7) && { registry: saysOf(dice) }),
    now,
  };
}

function oneOf<T>(dice: Dice, list: readonly T[]): T {
  return list[dice.below(list.length)] as T;
}

/** At least so many of them, in their order. */
function some<T>(dice: Dice, list: readonly T[], least = 0): readonly T[] {
  const chosen = list.filter(() => dice.chance(0.4));
  return chosen.length >= least ? chosen : [oneOf(dice, list)];
}

function askerOf(dice: Dice): Asker {
  const pullPolicy = oneOf(dice, ["Always", "IfNotPresent", "Never", undefined]);
  return {
    image: oneOf(dice, images),
    ...(pullPolicy && { pullPolicy }),
    namespace: dice.pick(["default", "prod-eu", "dev"]),
    labels: oneOf<Record<string, string>>(dice, [{}, { team: "a" }, { team: "b", app: "web" }]),
    container: dice.pick(["app", "istio-proxy"]),
  };
}

function copyAt(dice: Dice, now: number): Copy {
  const age = oneOf(dice, [...ages, undefined]);
  return { ...(age !== undefined && { confirmedAt: now - age }), granted: dice.chance(0.75), says: saysOf(dice) };
}

function saysOf(dice: Dice): Says {
  return {
    labels: oneOf<Record<string, string>>(dice, [{}, { stage: "beta" }, { stage: "stable" }]),
    size: dice.pick([500, 1000, 1001, 5000]),
    platforms: oneOf(dice, [["linux/amd64"], ["linux/amd64", "linux/s390x"]]),
  };
}

function documentNamed(dice: Dice, name: string): Document {
  const rules = Array.from({ length: 1 + dice.below(5) }, (_, at) => ruleNamed(dice, `r${at}`));
  const exemptions = dice.chance(0.25) ? [exemptionOf(dice, rules)] : [];
  const selector = dice.chance(0.2) ? selectorOf(dice) : undefined;
  return {
    file: `${name}.yaml`,
    name,
    ...(selector && { selector }),
    rules,
    ...(exemptions.length > 0 && { exemptions }),
  };
}

function selectorOf(dice: Dice): Match {
  return oneOf<Match>(dice, [
    { namespaces: ["prod-*"] },
    { namespaces: ["!dev"] },
    { labels: { matchLabels: { team: "a" } } },
    { clusters: ["eu-*"] },
  ]);
}

function exemptionOf(dice: Dice, rules: readonly Rule[]): Exemption {
  return {
    rules: [oneOf(dice, rules).name],
    match: matchOf(dice) ?? { images: ["**"] },
    owner: "team-a",
    reason: "It is being rebuilt",
    expires: dice.pick(["2027-01-31", "2026-11-21", "2026-11-21T11:00:00Z", "2020-01-01"]),
  };
}

function ruleNamed(dice: Dice, name: string): Rule {
  const match = matchOf(dice);
  const spoken = some(dice, ["admit", "pull", "when", "from", "require"] as const, 1);
  const speaks = (subject: (typeof spoken)[number]) => spoken.includes(subject);
  return {
    name,
    ...(dice.chance(0.25) && { mode: dice.pick(["Warn", "Warn", "Enforce"]) }),
    ...(match && { match }),
    ...(speaks("admit") && { admit: dice.pick(["Allow", "Deny", "Allow"]) }),
    ...(speaks("pull") && { pull: pullOf(dice) }),
    ...(speaks("when") && { when: whenOf(dice) }),
    ...(speaks("from") && { from: fromOf(dice) }),
    ...(speaks("require") && { require: requireOf(dice) }),
  };
}

const patterns = [
  "docker.io",
  "docker.io/library/*",
  "quay.io",
  "quay.io/acme/*",
  "quay.io/*",
  "*.acme.io:5000",
  "**",
  "*",
  "registry.acme.io:5000/**",
  "registry.acme.io:5000/team/*",
  "registry.acme.io:5000/team/**",
  "**/app",
  "registry.acme.io:5000/team/sub/main/**",
  "!quay.io",
  "!docker.io/**/nginx",
];

function matchOf(dice: Dice): Match | undefined {
  const keys = some(dice, Object.keys(makers) as (keyof typeof makers)[]).slice(0, 2);
  if (keys.length === 0 || dice.chance(0.3)) return undefined;
  return Object.fromEntries(keys.map((key) => [key, makers[key](dice)]));
}

const makers = {
  images: (dice: Dice) => some(dice, patterns, 1).slice(0, 3),
  tags: (dice: Dice) => some(dice, ["latest", "1.*", "*-rc1", "!main", "main"], 1),
  pinned: (dice: Dice) => dice.chance(0.5),
  namespaces: (dice: Dice) => some(dice, ["prod-*", "default", "!dev"], 1),
  containers: (dice: Dice) => some(dice, ["istio-*", "!istio-*", "app"], 1),
  clusters: (dice: Dice) => some(dice, ["eu-*", "!us-*"], 1),
  labels: (dice: Dice) => labelsOf(dice, "team", "a"),
  imageLabels: (dice: Dice) => labelsOf(dice, "stage", "beta"),
  expression: (dice: Dice) => oneOf(dice, Object.keys(expressions)),
};

function labelsOf(dice: Dice, key: string, value: string): Selector {
  return oneOf<Selector>(dice, [
    { matchLabels: { [key]: value } },
    { matchExpressions: [{ key, operator: "Exists" }] },
    { matchExpressions: [{ key, operator: "DoesNotExist" }] },
    { matchExpressions: [{ key, operator: "NotIn", values: [value] }] },
  ]);
}

function pullOf(dice: Dice): NonNullable<Rule["pull"]> {
  const policy = oneOf(dice, ["Always", "IfNotPresent", "Never", undefined]);
  const pull = {
    ...(policy && { policy }),
    ...(dice.chance(0.4) && { checkEvery: dice.pick(["10m", "1h"]) }),
    ...(dice.chance(0.4) && { whenUnreachable: dice.pick(["UseCached", "Fail"]) }),
    ...(dice.chance(0.4) && { maxStaleness: dice.pick(["1h", "1d"]) }),
  };
  return Object.keys(pull).length > 0 ? pull : { policy: "Always" };
}

function whenOf(dice: Dice): NonNullable<Rule["when"]> {
  const closed = [
    oneOf(dice, [
      { from: "2026-12-20", until: "2027-01-04" },
      { from: "2026-11-21T11:00:00Z", until: "2026-11-21T12:00:00Z" },
    ]),
  ];
  const windows = oneOf(dice, [["Mon"], ["Sat", "Sun"], ["08:00-18:00"], ["22:00-06:00"], ["*"]]);
  const kind = dice.below(3);
  const otherwise = oneOf(dice, ["UseCached", "Deny", undefined]);
  return {
    ...(kind !== 1 && { pull: windows }),
    ...(kind !== 0 && { closed }),
    ...(otherwise && { otherwise }),
  };
}

function fromOf(dice: Dice): NonNullable<Rule["from"]> {
  return {
    mirrors: some(dice, ["https://mirror.eu.acme.io", "https://mirror.us.acme.io"], 1),
    ...(dice.chance(0.3) && { order: dice.pick(["Fastest", "Listed"]) }),
    ...(dice.chance(0.4) && { origin: dice.pick(["Never", "Fallback"]) }),
  };
}

function requireOf(dice: Dice): NonNullable<Rule["require"]> {
  const required = {
    ...(dice.chance(0.3) && { tag: dice.chance(0.8) }),
    ...(dice.chance(0.3) && { notTags: some(dice, ["latest", "*-rc*", "main"], 1) }),
    ...(dice.chance(0.2) && { digest: dice.chance(0.6) }),
    ...(dice.chance(0.4) && { maxSize: dice.pick([1000, 2000]) }),
    ...(dice.chance(0.3) && { platforms: some(dice, ["linux/amd64", "linux/s390x"], 1) }),
  };
  return Object.keys(required).length > 0 ? required : { tag: true };
}
