/** What rules come to on every subject, taken together. */
import type { Reference } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { type Admission, admit } from "./admitting.ts";
import { type Choice, choose } from "./choosing.ts";
import { askedOf } from "./match.ts";
import { type Freshness, type Plan, planPull } from "./pulling.ts";
import { type Reading, readRules } from "./readings.ts";
import { checkRequirements, type Required } from "./requiring.ts";
import { heedTimes, type Timing, timingOf } from "./timing.ts";
import type { EffectivePullPolicy, ImageFacts, LocalFacts, Policy, Rule } from "./types.ts";

/** A request whose image is a name, and all that is known about it. */
export interface Question {
  readonly request: ImageRequest;
  readonly reference: Reference;
  readonly policy: Policy;
  readonly facts: LocalFacts;
  readonly now: number;
}

export interface Judgement {
  readonly admission: Admission;
  readonly required: Required;
  readonly sourcing: Choice;
  readonly timing: Timing;
  readonly pulling: Choice;
  readonly freshness: Freshness;
  /** What is to be done if nothing is denied and all that is required is met. */
  readonly plan: Plan;
}

/** The rules that hold, in the order in which they are read; those on trial decide nothing. */
export function enforced(readings: readonly Reading[]): readonly Reading[] {
  return readings.filter(({ rule }) => rule.mode !== "Warn");
}

/**
 * @param among which of the rules that may be about the request are heeded
 * @param own the pull policy where no rule says otherwise
 */
export function judge(
  { request, reference, policy, facts, now }: Question,
  among: (readings: readonly Reading[]) => readonly Reading[],
  own: EffectivePullPolicy,
): Judgement {
  const seen = askedOf(request, reference, knownImage(facts));
  const readings = among(readRules(policy, seen, now));
  const pulling = choose("pull", readings);
  const timing = timingOf(readings, now);
  const freshness = { pullPolicy: pullPolicyBy(pulling.rule, own), rule: pulling.rule };
  const wanted = planPull(request, freshness, facts, now);
  const plan = heedTimes(wanted, timing, { request, freshness, facts, now });
  // A registry that is asked may have another image by now: what is here says nothing about that one.
  const aboutCopy = plan.action === "Use" || !isAsking(wanted);
  const asked = aboutCopy ? seen : askedOf(request, reference, facts.image);
  const judged = aboutCopy ? readings : among(readRules(policy, asked, now));
  const sourcing = choose("from", readings);
  return {
    admission: admit(judged),
    required: checkRequirements(judged, asked),
    sourcing,
    timing,
    pulling,
    freshness,
    plan,
  };
}

/** What is known of the image: what it was resolved to, or else the copy on this machine. */
export function knownImage(facts: LocalFacts): ImageFacts | undefined {
  return facts.image ?? (facts.presence === "present" ? facts.copy : undefined);
}

export function pullPolicyBy(rule: Rule | undefined, own: EffectivePullPolicy): EffectivePullPolicy {
  const value = rule?.pull?.policy;
  return value === undefined ? own : { value, from: "rule", because: `${rule?.id} says so` };
}

function isAsking({ action }: Plan): boolean {
  return action === "Check" || action === "Pull";
}
