/** Of several reasons to refuse an image, the one that is told: what is wrong with the image before what is wrong just now. */
import type { LocalFacts } from "../types.ts";
import { absent, type Case, copy, type Expected, now, policyOf, requestFor } from "./case.ts";

const day = 86_400_000;
const deny = { name: "deny", admit: "Deny" };
const pin = { name: "pin", require: { digest: true } };
const never = { name: "never", pull: { policy: "Never", maxStaleness: "1h" } };
const fresh = { name: "fresh", pull: { policy: "Always", maxStaleness: "1h", whenUnreachable: "UseCached" } };
const closed = { name: "closed", when: { pull: ["Mon-Fri 08:00-18:00"] } };
const shut = { name: "shut", when: { pull: ["Mon-Fri 08:00-18:00"], otherwise: "Deny" } };

function refused(reason: NonNullable<Expected["reason"]>): Expected {
  return { action: "Refuse", reason };
}

type Line = readonly [name: string, image: string, rules: readonly object[], facts: LocalFacts, Expected];

const lines: readonly Line[] = [
  ["no name before a denial", "Foo//bar", [deny, pin, never, closed], absent, refused("InvalidImageName")],
  ["a denial before all others", "nginx:1", [pin, deny, never, closed], absent, refused("ImageDenied")],
  ["a requirement before Never", "nginx:1", [pin, never, closed], absent, refused("RequirementNotMet")],
  ["a requirement before a closed window", "nginx:1", [pin, closed], absent, refused("RequirementNotMet")],
  ["Never before a closed window", "nginx:1", [never, closed], absent, refused("ErrImageNeverPull")],
  ["age under Never before a closed window", "nginx:1", [never, shut], copy(day), refused("CachedCopyTooOld")],
  [
    "a closed window for a copy that is too old: once it opens, the registry is asked",
    "nginx:1",
    [fresh, closed],
    copy(day),
    refused("OutsidePullWindow"),
  ],
  [
    "a closed window for a copy that no registry ever confirmed, where an age is allowed",
    "nginx:1",
    [fresh, closed],
    copy(undefined),
    refused("OutsidePullWindow"),
  ],
  ["none for a copy that is fresh enough", "nginx:1", [fresh, closed], copy(60_000), { action: "Use" }],
];

export const refusalCases: readonly Case[] = lines.map(([name, image, rules, facts, expected]) => ({
  name: `of several refusals, ${name}`,
  policy: policyOf(rules),
  request: requestFor(image, { pullPolicy: "IfNotPresent" }),
  facts,
  now,
  expected,
}));
