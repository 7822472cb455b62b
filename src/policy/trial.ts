/** Rules on trial (`mode: Warn`): they decide nothing, and what they would refuse is said. */
import type { ImageRequest } from "../workload/index.ts";
import type { Judgement } from "./judgement.ts";
import { denial, tooOldUnasked, unmetMessage } from "./refusals.ts";
import type { RefusalReason, Rule, Trial, Warning } from "./types.ts";

/**
 * What rules on trial would refuse.
 * @param tried what all rules come to, those on trial among them
 * @param held what comes of those that hold
 */
export function trialOf(request: ImageRequest, tried: Judgement, held: Judgement): Trial {
  const { admission, required, plan } = tried;
  const warnings: Warning[] = [];
  const { deniedBy } = admission;
  if (isOnTrial(deniedBy)) warnings.push(warningOf(deniedBy, "ImageDenied", denial(deniedBy, request)));
  for (const unmet of required.unmet) {
    if (!isOnTrial(unmet.rule)) continue;
    warnings.push(warningOf(unmet.rule, "RequirementNotMet", unmetMessage([unmet], request)));
  }
  if (plan.action === "Refuse") {
    const rule = refusingRule(plan.reason, tried);
    if (rule !== undefined) warnings.push(warningOf(rule, plan.reason, plan.message));
  }
  return {
    warnings,
    ofCopy: ofCopy(request, tried, held),
    open:
      (admission.pending !== undefined && held.admission.pending === undefined) ||
      (required.pending !== undefined && held.required.pending === undefined),
  };
}

/** The rule on trial for which the plan is a refusal: the one that says so, or that had somebody asked. */
function refusingRule(reason: RefusalReason, { timing, pulling }: Judgement): Rule | undefined {
  const rules = reason === "OutsidePullWindow" ? [timing.rule, pulling.rule] : [pulling.rule];
  return rules.find(isOnTrial);
}

/** A copy that would have been asked about for its age, and is used without asking. */
function ofCopy(request: ImageRequest, { plan, pulling: { rule } }: Judgement, held: Judgement): readonly Warning[] {
  if (plan.action !== "Check" || plan.tooOld === undefined || !isOnTrial(rule)) return [];
  if (held.plan.action === "Check" && held.plan.tooOld !== undefined) return [];
  return [warningOf(rule, "CachedCopyTooOld", tooOldUnasked(plan.tooOld, request))];
}

function isOnTrial(rule: Rule | undefined): rule is Rule {
  return rule?.mode === "Warn";
}

function warningOf({ id }: Rule, reason: RefusalReason, message: string): Warning {
  return { rule: id, reason, message };
}

/** A warning in one sentence. */
export function warningText({ rule, reason, message }: Readonly<Record<keyof Warning, string>>): string {
  return `${rule} is on trial and would refuse with ${reason}: ${message}`;
}
