/** The rules that may be about a request, in the order in which they are read, and what exemptions do to them. */
import { type MatchInput, type MatchResult, matchOf } from "./match.ts";
import type { Exemption, Policy, Rule, Subject } from "./types.ts";

/** A rule that matches, or might. */
export interface MatchedRule {
  readonly rule: Rule;
  readonly result: Possible;
  /** The exemption that lifts the rule, and whether that is certain. */
  readonly lifted: { readonly by: Exemption; readonly certain: boolean } | undefined;
  /** The exemptions that may lift it. */
  readonly exemptions: readonly Exemption[];
}

type Possible = Exclude<MatchResult, { readonly matches: "no" }>;

/** Reads all rules: which of them are about a request, or may be. */
export function matchRules({ documents }: Policy, input: MatchInput, now: number): readonly MatchedRule[] {
  return documents.flatMap((document) => {
    if (matchOf(document.selector, input).matches !== "yes") return [];
    return document.rules.flatMap((rule) => {
      const exemptions = document.exemptions.filter((each) => each.rules.includes(rule.name) && !hasExpired(each, now));
      return matchRule(rule, exemptions, input);
    });
  });
}

/** What is left of them once the image has said what it is: only rules that speak of that are looked at again. */
export function matchAgain(matched: readonly MatchedRule[], input: MatchInput): readonly MatchedRule[] {
  return matched.flatMap((each) => {
    const { rule, exemptions } = each;
    const depends = [rule, ...exemptions].some(({ match }) => match?.imageLabels !== undefined);
    return depends ? matchRule(rule, exemptions, input) : [each];
  });
}

function matchRule(rule: Rule, exemptions: readonly Exemption[], input: MatchInput): readonly MatchedRule[] {
  const result = matchOf(rule.match, input);
  if (result.matches === "no") return [];
  return [{ rule, result, lifted: liftOf(exemptions, input), exemptions }];
}

/** An exemption whose expression cannot be evaluated, or that has expired, lifts nothing. */
function liftOf(exemptions: readonly Exemption[], input: MatchInput): MatchedRule["lifted"] {
  let possible: Exemption | undefined;
  for (const exemption of exemptions) {
    const { matches } = matchOf(exemption.match, input);
    if (matches === "yes") return { by: exemption, certain: true };
    if (matches === "unknown") possible ??= exemption;
  }
  return possible && { by: possible, certain: false };
}

export function hasExpired({ expires }: Exemption, now: number): boolean {
  return now >= expires.at;
}

/** Whether the rule holds, all that is known considered; a rule whose expression failed is for its subject to judge. */
export function statusOf({ result, lifted }: MatchedRule): Possible["matches"] | "lifted" {
  if (lifted?.certain === true) return "lifted";
  return lifted === undefined ? result.matches : "unknown";
}

/** Those that speak on a subject. */
export function speakingOn(subject: Subject, matched: readonly MatchedRule[]): readonly MatchedRule[] {
  return matched.filter(({ rule }) => rule[subject] !== undefined);
}

/** What traces say of a rule that was left out, or counted although its expression failed; empty for every other. */
export function explain({ rule, result, lifted }: MatchedRule, counted: boolean): string {
  if (lifted?.certain === true) {
    const { owner, reason, expires } = lifted.by;
    return `; ${rule.id} is lifted until ${expires.text}: ${reason} (${owner})`;
  }
  if (result.matches !== "failed") return "";
  return `; the expression of ${rule.id} failed (${result.failure}), so the rule counts as ${counted ? "matching" : "not matching"}`;
}
