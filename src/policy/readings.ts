/** The rules that may be about a request, in the order in which they are read, and what exemptions do to them. */
import { inCluster } from "./cluster.ts";
import { type Asked, type Verdict, verdictOf } from "./match.ts";
import type { Exemption, Policy, PolicyDocument, Rule, Subject } from "./types.ts";

/** A rule that matches, or might. */
export interface Reading {
  readonly rule: Rule;
  readonly verdict: Possible;
  /** The exemption that lifts the rule, and whether that is certain. */
  readonly lifted: { readonly by: Exemption; readonly certain: boolean } | undefined;
}

type Possible = Exclude<Verdict, { readonly matches: "no" }>;

export function readRules(policy: Policy, given: Asked, now: number): readonly Reading[] {
  const asked = { ...given, request: inCluster(given.request, policy) };
  return policy.documents.flatMap((document) => {
    if (verdictOf(document.selector, asked).matches !== "yes") return [];
    return document.rules.flatMap((rule): Reading[] => {
      const verdict = verdictOf(rule.match, asked);
      if (verdict.matches === "no") return [];
      return [{ rule, verdict, lifted: liftOf(rule, document, asked, now) }];
    });
  });
}

/** An exemption whose expression cannot be evaluated, or that has expired, lifts nothing. */
function liftOf({ name }: Rule, { exemptions }: PolicyDocument, asked: Asked, now: number): Reading["lifted"] {
  let possible: Exemption | undefined;
  for (const exemption of exemptions) {
    if (!exemption.rules.includes(name) || hasExpired(exemption, now)) continue;
    const { matches } = verdictOf(exemption.match, asked);
    if (matches === "yes") return { by: exemption, certain: true };
    if (matches === "unknown") possible ??= exemption;
  }
  return possible && { by: possible, certain: false };
}

export function hasExpired({ expires }: Exemption, now: number): boolean {
  return now >= expires.at;
}

/** Whether the rule holds, all that is known considered; a rule whose expression failed is for its subject to judge. */
export function standingOf({ verdict, lifted }: Reading): Possible["matches"] | "lifted" {
  if (lifted?.certain === true) return "lifted";
  return lifted === undefined ? verdict.matches : "unknown";
}

/** The readings of rules that speak on a subject. */
export function speakingOn(subject: Subject, readings: readonly Reading[]): readonly Reading[] {
  return readings.filter(({ rule }) => rule[subject] !== undefined);
}

/** What traces say of a rule that was left out, or counted although its expression failed; empty for every other. */
export function noteOn({ rule, verdict, lifted }: Reading, counted: boolean): string {
  if (lifted?.certain === true) {
    const { owner, reason, expires } = lifted.by;
    return `; ${rule.id} is lifted until ${expires.text}: ${reason} (${owner})`;
  }
  if (verdict.matches !== "failed") return "";
  return `; the expression of ${rule.id} failed (${verdict.failure}), so the rule counts as ${counted ? "matching" : "not matching"}`;
}
