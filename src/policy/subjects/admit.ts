/** Subject `admit`: whether the image may be used at all. */
import { explain, type MatchedRule, speakingOn, statusOf } from "../matched-rules.ts";
import type { Rule, TraceStep } from "../types.ts";

export interface Admission {
  /** The rule that denies. */
  readonly deniedBy: Rule | undefined;
  /** The rule whose say depends on what the image itself says. */
  readonly pending: Rule | undefined;
  readonly trace: TraceStep;
}

/**
 * The first rule that matches decides. Where an earlier one might match, once the image is known, and would say
 * otherwise, nothing is decided yet. A denial whose expression failed denies; a permission does not permit.
 */
export function admit(matched: readonly MatchedRule[]): Admission {
  const possible: Rule[] = [];
  let notes = "";
  let deciding: Rule | undefined;
  for (const each of speakingOn("admit", matched)) {
    const status = statusOf(each);
    const { rule } = each;
    const denies = rule.admit === "Deny";
    notes += explain(each, denies);
    if (status === "unknown") possible.push(rule);
    if (status === "yes" || (status === "failed" && denies)) {
      deciding = rule;
      break;
    }
  }
  const outcome = deciding?.admit ?? "Allow";
  const doubt = possible.find((rule) => rule.admit !== outcome);
  if (doubt !== undefined) {
    const because = `it depends on the labels in the image's own config, which are not known yet${notes}`;
    return { deniedBy: undefined, pending: doubt, trace: { subject: "admit", rule: doubt.id, because } };
  }
  const because = deciding === undefined ? "Kubernetes admits every image" : `the rule says ${outcome}`;
  return {
    deniedBy: outcome === "Deny" ? deciding : undefined,
    pending: undefined,
    trace: { subject: "admit", rule: deciding?.id ?? null, because: because + notes },
  };
}
