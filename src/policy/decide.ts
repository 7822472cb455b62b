/**
 * The one decision. On each subject the first matching rule that speaks on it decides; where none speaks, it is what a
 * kubelet does (k8s pkg/kubelet/images/image_manager.go, `EnsureImageExists`).
 */
import { invalidNameText, type Reference, readImageName } from "../image/index.ts";
import { quote } from "../support/go.ts";
import { defaultPullPolicy, type ImageRequest } from "../workload/index.ts";
import { inCluster } from "./cluster.ts";
import { enforced, type Judgement, judge, knownImage, pullPolicyBy, type Question } from "./judgement.ts";
import { matchInput } from "./match.ts";
import { type MatchedRule, matchAgain, matchRules } from "./matched-rules.ts";
import { type Copy, decideByNames, type OnCopy, onCopy, type Start, startFromCopy } from "./on-copy.ts";
import { denial, refuse, unmetMessage } from "./refusals.ts";
import { choose } from "./select-rule.ts";
import { fetchingBy, fromTrace } from "./subjects/from.ts";
import { pullTrace } from "./subjects/pull.ts";
import { timingTrace } from "./subjects/when.ts";
import { trialOf } from "./trial.ts";
import type { Decision, EffectivePullPolicy, LocalFacts, Policy, Subject } from "./types.ts";
import { noTrial } from "./types.ts";

/** One request at one moment: its reference is parsed and the rules are read; facts may still come in. */
export interface Prepared {
  readonly request: ImageRequest;
  /** The moment, in milliseconds since the epoch. */
  readonly now: number;
  /** With the tag that it implies; `undefined` where the image is no name. */
  readonly reference: Reference | undefined;
  /** What has to be looked up on the machine before it is decided. */
  readonly needs: {
    /** Whether there is a copy. Under `Always` a kubelet does not look for one; rules may say what it is good for. */
    readonly copy: boolean;
    /** What the image says of itself, for rules may speak of that. */
    readonly image: boolean;
  };
  /** Ids of the exemptions that lift a rule which would otherwise be, or could be, about the request. */
  readonly exemptions: readonly string[];
  /** The pull policy that holds, and who says so: a rule, the manifest, or Kubernetes' default. */
  pullPolicy(facts: LocalFacts): EffectivePullPolicy;
  /** May this workload have this image now, from where, and how fresh must it be? */
  decide(facts: LocalFacts): Decision;
  /** What holds of the copy on the machine where a registry should be asked, and none can be. */
  onCopy(facts: LocalFacts): OnCopy;
  /** Whether a container may start from the copy, of which `facts.image` tells: nobody is asked any more. */
  start(facts: LocalFacts): Start;
  /** The same request for a copy that may have been meant by any of these names: what one of them is refused is refused. */
  under(names: readonly string[] | undefined): Prepared;
}

/** The signature of {@link prepare}: pure, no clock, no randomness. */
export type Prepare = (request: ImageRequest, policy: Policy, now: number) => Prepared;

/** @param now milliseconds since the epoch */
export function prepare(request: ImageRequest, policy: Policy, now: number): Prepared {
  const named = prepareOne(request, policy, now);
  const under = (names: readonly string[] | undefined): Prepared => {
    const [only] = names ?? [];
    if (names === undefined || (names.length === 1 && only === request.image.given)) return { ...named, under };
    const each = names.map((name) => prepareOne({ ...request, image: readImageName(name) }, policy, now));
    return {
      ...named,
      under,
      decide: (facts) => decideByNames(each, (one) => one.decide(facts)),
      onCopy: (facts) => onCopy(facts, (known) => decideByNames(each, (one) => one.decide(known))),
      start: (facts) => {
        const starts = each.map((one) => one.start(facts));
        const [first] = starts;
        return starts.find(({ refusal }) => refusal !== undefined) ?? first ?? named.start(facts);
      },
    };
  };
  return { ...named, under };
}

/** As {@link prepare}, for those who know all that there is to know. */
export function decide(request: ImageRequest, policy: Policy, facts: LocalFacts, now: number): Decision {
  return prepareOne(request, policy, now).decide(facts);
}

function prepareOne(request: ImageRequest, policy: Policy, now: number): Omit<Prepared, "under"> {
  const { image: reference } = request;
  const own = ownPolicy(request);
  if (reference.kind === "invalid") {
    const message = `Failed to apply default image tag ${quote(reference.given)}: ${invalidNameText(reference)}`;
    const decision = refuse({ pullPolicy: own, trace: [] }, "InvalidImageName", message);
    return {
      request,
      now,
      reference: undefined,
      needs: { copy: false, image: false },
      exemptions: [],
      pullPolicy: () => own,
      decide: () => decision,
      onCopy: (facts) => onCopy(facts, () => decision),
      start: () => startFromCopy(request, { decision }),
    };
  }
  const asked = inCluster(request, policy);
  const matched = matchRules(policy, matchInput(asked, reference, undefined), now);
  const ruled = policy.documents.length > 0;
  const onTrial = matched.some(({ rule }) => rule.mode === "Warn");

  const settle = (facts: LocalFacts): Copy => {
    const question = { request: asked, reference, matched, facts, now };
    const held = judge(question, enforced, own);
    const tried = onTrial ? judge(question, all, own) : undefined;
    return { decision: decisionOf(question, held, tried), pending: pendingRule(held) };
  };

  const decideNow = (facts: LocalFacts) => settle(facts).decision;
  return {
    request,
    now,
    reference,
    needs: { copy: ruled || own.value !== "Always", image: ruled },
    exemptions: [...new Set(matched.flatMap(({ lifted }) => lifted?.by.id ?? []))],
    pullPolicy: (facts) => {
      const image = knownImage(facts);
      const known = image === undefined ? matched : matchAgain(matched, matchInput(asked, reference, image));
      return pullPolicyBy(choose("pull", enforced(known)).rule, own);
    },
    decide: decideNow,
    onCopy: (facts) => onCopy(facts, decideNow),
    start: (facts) => startFromCopy(request, settle(facts)),
  };
}

function all(matched: readonly MatchedRule[]): readonly MatchedRule[] {
  return matched;
}

function pendingRule({ admission, required }: Judgement): Copy["pending"] {
  if (admission.pending !== undefined) return { reason: "ImageDenied", rule: admission.pending.id };
  if (required.pending !== undefined) return { reason: "RequirementNotMet", rule: required.pending.id };
  return undefined;
}

/**
 * @param held what the rules come to that hold
 * @param tried what they come to with those on trial among them, where there are any
 */
function decisionOf(
  { request, reference, facts, now }: Question,
  held: Judgement,
  tried: Judgement | undefined,
): Decision {
  const { admission, required, sourcing, timing, pulling, freshness, plan } = held;
  const { pullPolicy } = freshness;
  const from = fetchingBy(sourcing.rule, reference, facts.hosts);
  const trace = [
    admission.trace,
    pullTrace(freshness, pulling.notes),
    timingTrace(timing, now),
    fromTrace(from, sourcing, facts.hosts),
    ...required.trace,
  ];
  const { deniedBy } = admission;
  if (deniedBy !== undefined) return refuse({ pullPolicy, trace }, "ImageDenied", denial(deniedBy, request));
  if (required.unmet.length > 0) {
    return refuse({ pullPolicy, trace }, "RequirementNotMet", unmetMessage(required.unmet, request));
  }
  if (plan.action === "Refuse") return refuse({ pullPolicy, trace }, plan.reason, plan.message);

  const pending: Subject[] = [];
  if (admission.pending !== undefined) pending.push("admit");
  if (required.pending !== undefined) pending.push("require");
  const trial = tried === undefined ? noTrial : trialOf(request, tried, held);
  switch (plan.action) {
    case "Use":
      return { action: plan.action, message: plan.message, pullPolicy, trace, pending, trial };
    case "Pull":
      return { action: plan.action, message: plan.message, ...from, pullPolicy, trace, pending, trial };
    case "Check":
      return { ...plan, ...from, pullPolicy, trace, pending, trial };
  }
}

/** What holds where no rule says otherwise. */
function ownPolicy(request: ImageRequest): EffectivePullPolicy {
  if (request.pullPolicy !== undefined) {
    const place = request.container.kind === "imageVolume" ? "volume" : "container";
    return { value: request.pullPolicy, from: "manifest", because: `the ${place} says so` };
  }
  return { from: "default", ...(request.otherDefault ?? defaultPullPolicy(request.image)) };
}
