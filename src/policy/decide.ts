/**
 * The one decision. On each subject the first matching rule that speaks on it decides; where none speaks, it is what a
 * kubelet does (k8s pkg/kubelet/images/image_manager.go, `EnsureImageExists`).
 */
import { isLoopback, parseImageName, type Reference, registryOrigin } from "../image/index.ts";
import { errorText } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { defaultPullPolicy, type ImageRequest } from "../workload/index.ts";
import { type Choice, choose } from "./choosing.ts";
import { enforced, judge, knownImage, pullPolicyBy } from "./judgement.ts";
import { askedOf } from "./match.ts";
import type { Freshness } from "./pulling.ts";
import { type Reading, readRules } from "./readings.ts";
import { denial, unmetMessage } from "./refusal-messages.ts";
import { timingOf, timingTrace } from "./timing.ts";
import { noTrial, trialOf } from "./trial.ts";
import type {
  ConfiguredHosts,
  Decision,
  EffectivePullPolicy,
  Fetching,
  ImageFacts,
  LocalFacts,
  Policy,
  RefusalReason,
  Rule,
  Subject,
  TraceStep,
} from "./types.ts";

/** May this workload have this image now, from where, and how fresh must it be? Pure: time and facts are handed in. */
export function decide(request: ImageRequest, policy: Policy, facts: LocalFacts, now: number): Decision {
  const parsed = parse(request.image);
  if ("problem" in parsed) return refuse("InvalidImageName", parsed.problem, own(request), []);
  const question = { request, reference: parsed.reference, policy, facts, now };
  const held = judge(question, enforced, own(request));
  const { admission, required, sourcing, timing, pulling, freshness, plan } = held;
  const { pullPolicy } = freshness;
  const from = fetchingBy(sourcing.rule, parsed.reference, facts.hosts);
  const trace = [
    admission.trace,
    pullTrace(freshness, pulling),
    timingTrace(timing, now),
    fromTrace(from, sourcing, facts.hosts),
    ...required.trace,
  ];
  const { deniedBy } = admission;
  if (deniedBy !== undefined) return refuse("ImageDenied", denial(deniedBy, request), pullPolicy, trace);
  if (required.unmet.length > 0) {
    return refuse("RequirementNotMet", unmetMessage(required.unmet, request), pullPolicy, trace);
  }
  if (plan.action === "Refuse") return refuse(plan.reason, plan.message, pullPolicy, trace);

  const pending: Subject[] = [];
  if (admission.pending) pending.push("admit");
  if (required.pending) pending.push("require");
  const trial = hasTrials(policy) ? trialOf(request, judge(question, all, own(request)), held) : noTrial;
  switch (plan.action) {
    case "Use":
      return { action: plan.action, message: plan.message, pullPolicy, trace, pending, trial };
    case "Pull":
      return { action: plan.action, message: plan.message, ...from, pullPolicy, trace, pending, trial };
    case "Check":
      return { ...plan, ...from, pullPolicy, trace, pending, trial };
  }
}

function hasTrials({ documents }: Policy): boolean {
  return documents.some(({ rules }) => rules.some(({ mode }) => mode === "Warn"));
}

function all(readings: readonly Reading[]): readonly Reading[] {
  return readings;
}

/** The pull policy that holds for a request, and who says so: a rule, the manifest, or Kubernetes' default. */
export function effectivePullPolicy(
  request: ImageRequest,
  policy: Policy,
  now: number,
  facts: LocalFacts,
): EffectivePullPolicy {
  const readings = enforced(readingsOf(request, policy, now, knownImage(facts)));
  return pullPolicyBy(choose("pull", readings).rule, own(request));
}

/**
 * Whether what is on the machine matters to the decision. Under `Always` a kubelet does not look for a copy; here it
 * does where a rule says what a copy may be used for.
 */
export function looksForCopy(request: ImageRequest, policy: Policy, now: number): boolean {
  if (hasTrials(policy)) return true;
  const readings = readingsOf(request, policy, now);
  const { rule, uncertain } = choose("pull", readings);
  const timing = timingOf(readings, now);
  const { checkEvery, maxStaleness, whenUnreachable } = rule?.pull ?? {};
  return (
    pullPolicyBy(rule, own(request)).value !== "Always" ||
    checkEvery !== undefined ||
    maxStaleness !== undefined ||
    whenUnreachable === "UseCached" ||
    timing.closed !== undefined ||
    uncertain ||
    timing.uncertain ||
    choose("from", readings).uncertain
  );
}

function readingsOf(request: ImageRequest, policy: Policy, now: number, image?: ImageFacts): readonly Reading[] {
  const parsed = parse(request.image);
  return "problem" in parsed ? [] : readRules(policy, askedOf(request, parsed.reference, image), now);
}

/** What holds where no rule says otherwise. */
function own(request: ImageRequest): EffectivePullPolicy {
  if (request.pullPolicy !== undefined) {
    const place = request.container.kind === "imageVolume" ? "volume" : "container";
    return { value: request.pullPolicy, from: "manifest", because: `the ${place} says so` };
  }
  return { from: "default", ...(request.otherDefault ?? defaultPullPolicy(request.image)) };
}

function parse(image: string): { reference: Reference } | { problem: string } {
  try {
    return { reference: parseImageName(image) };
  } catch (error) {
    return { problem: `Failed to apply default image tag ${quote(image)}: ${errorText(error)}` };
  }
}

function fetchingBy(rule: Rule | undefined, { repository }: Reference, hosts: ConfiguredHosts | undefined): Fetching {
  const origin = registryOrigin(repository.registry, isLoopback(repository.registry));
  if (rule?.from === undefined) return { sources: hosts?.sources ?? [origin], order: "Listed" };
  const { mirrors, order, origin: last } = rule.from;
  return { sources: [...new Set(last === "Never" ? mirrors : [...mirrors, origin])], order };
}

function pullTrace({ pullPolicy, rule }: Freshness, { notes }: Choice): TraceStep {
  const { checkEvery, maxStaleness, whenUnreachable } = rule?.pull ?? {};
  const more = [
    checkEvery && `; the registry is asked every ${checkEvery.text} at most`,
    whenUnreachable === "UseCached" && "; the copy on the machine is used if no registry can be reached",
    maxStaleness && `; no copy is used that was not confirmed within ${maxStaleness.text}`,
  ].filter((text) => typeof text === "string");
  const because = `${pullPolicy.value}: ${pullPolicy.because}${more.join("")}${notes}`;
  return { subject: "pull", rule: rule?.id ?? null, because };
}

function fromTrace(
  { sources, order }: Fetching,
  { rule, notes }: Choice,
  hosts: ConfiguredHosts | undefined,
): TraceStep {
  const listed = sources.join(", ");
  if (rule === undefined && hosts !== undefined) {
    const which = sources.length > 1 ? `${listed}, in this order` : listed || "nobody";
    return { subject: "from", rule: null, because: `${which}, ${hosts.because}${notes}` };
  }
  if (rule === undefined)
    return { subject: "from", rule: null, because: `${listed} is the registry in the image's name${notes}` };
  const how = order === "Fastest" ? "the mirror that answers fastest first" : "in this order";
  return { subject: "from", rule: rule.id, because: `${listed}, ${how}${notes}` };
}

function refuse(
  reason: RefusalReason,
  message: string,
  pullPolicy: EffectivePullPolicy,
  trace: readonly TraceStep[],
): Decision {
  return { action: "Refuse", reason, message, pullPolicy, trace, pending: [], trial: noTrial };
}
