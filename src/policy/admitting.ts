/** Subject `admit`: whether the image may be used at all. */
import { noteOn, type Reading, speakingOn, standingOf } from "./readings.ts";
import type { Rule, TraceStep } from "./types.ts";

export interface Admission {
  /** The rule that denies. */
  readonly deniedBy: Rule | undefined;
  /** Whether that depends on what the image itself says. */
  readonly pending: boolean;
  readonly trace: TraceStep;
}

/**
 * The first rule that matches decides. Where an earlier one might match, once the image is known, and would say
 * otherwise, nothing is decided yet. A denial whose expression failed denies; a permission does not permit.
 */
export function admit(readings: readonly Reading[]): Admission {
  const possible: Rule[] = [];
  let notes = "";
  let deciding: Rule | undefined;
  for (const reading of speakingOn("admit", readings)) {
    const standing = standingOf(reading);
    const { rule } = reading;
    const denies = rule.admit === "Deny";
    notes += noteOn(reading, denies);
    if (standing === "unknown") possible.push(rule);
    if (standing === "yes" || (standing === "failed" && denies)) {
      deciding = rule;
      break;
    }
  }
  const outcome = deciding?.admit ?? "Allow";
  const doubt = possible.find((rule) => rule.admit !== outcome);
  if (doubt !== undefined) {
    const because = `it depends on the labels in the image's own config, which are not known yet${notes}`;
    return { deniedBy: undefined, pending: true, trace: { subject: "admit", rule: doubt.id, because } };
  }
  const because = deciding === undefined ? "Kubernetes admits every image" : `the rule says ${outcome}`;
  return {
    deniedBy: outcome === "Deny" ? deciding : undefined,
    pending: false,
    trace: { subject: "admit", rule: deciding?.id ?? null, because: because + notes },
  };
}
