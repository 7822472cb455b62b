/** What rules come to on every subject, taken together. */
import type { Reference } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { type MatchInput, matchInput } from "./match.ts";
import { type MatchedRule, matchAgain } from "./matched-rules.ts";
import { type Choice, choose } from "./select-rule.ts";
import { type Admission, admit } from "./subjects/admit.ts";
import { type Freshness, type Plan, planPull } from "./subjects/pull.ts";
import { checkRequirements, type Required } from "./subjects/require.ts";
import { heedTimes, type Timing, timingOf } from "./subjects/when.ts";
import type { EffectivePullPolicy, ImageFacts, LocalFacts, Rule } from "./types.ts";

/** A request whose image is a name, and all that is known about it. */
export interface Question {
  readonly request: ImageRequest;
  readonly reference: Reference;
  /** The rules that are about the request, or may be, as long as the image has not said what it is. */
  readonly matched: readonly MatchedRule[];
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
export function enforced(matched: readonly MatchedRule[]): readonly MatchedRule[] {
  return matched.filter(({ rule }) => rule.mode !== "Warn");
}

/**
 * @param among which of the rules that may be about the request are heeded
 * @param own the pull policy where no rule says otherwise
 */
export function judge(
  { request, reference, matched: base, facts, now }: Question,
  among: (matched: readonly MatchedRule[]) => readonly MatchedRule[],
  own: EffectivePullPolicy,
): Judgement {
  const inputFor = (image: ImageFacts | undefined) => matchInput(request, reference, image);
  const matchedFor = (input: MatchInput) => among(input.image === undefined ? base : matchAgain(base, input));
  const seen = inputFor(knownImage(facts));
  const matched = matchedFor(seen);
  const pulling = choose("pull", matched);
  const timing = timingOf(matched, now);
  const freshness = { pullPolicy: pullPolicyBy(pulling.rule, own), rule: pulling.rule };
  const wanted = planPull(request, freshness, facts, now);
  const plan = heedTimes(wanted, timing, { request, freshness, facts, now });
  // A registry that is asked may have another image by now: what is here says nothing about that one.
  const aboutCopy = plan.action === "Use" || !isAsking(wanted);
  const asked = aboutCopy ? seen : inputFor(facts.image);
  const judged = aboutCopy ? matched : matchedFor(asked);
  const sourcing = choose("from", matched);
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
