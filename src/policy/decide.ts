/**
 * The one decision. On each subject the first matching rule that speaks on it decides; where none speaks, it is what a
 * kubelet does (k8s pkg/kubelet/images/image_manager.go, `EnsureImageExists`).
 */
import { isLoopback, registryOrigin } from "../image/origin.ts";
import { parseImageName, type Reference } from "../image/reference.ts";
import { errorText } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { defaultPullPolicy } from "../workload/defaults.ts";
import type { ImageRequest } from "../workload/types.ts";
import { admit } from "./admitting.ts";
import { type Choice, choose } from "./choosing.ts";
import { askedOf } from "./match.ts";
import { type Freshness, type Plan, planPull } from "./pulling.ts";
import { type Reading, readRules } from "./readings.ts";
import { checkRequirements, type Required } from "./requiring.ts";
import { heedTimes, timingOf, timingTrace } from "./timing.ts";
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
  const seen = askedOf(request, parsed.reference, knownImage(facts));
  const readings = readRules(policy, seen, now);

  const pulling = choose("pull", readings);
  const timing = timingOf(readings, now);
  const sourcing = choose("from", readings);
  const pullPolicy = pullPolicyBy(pulling.rule, request);
  const freshness = { pullPolicy, rule: pulling.rule };
  const wanted = planPull(request, freshness, facts, now);
  const plan = heedTimes(wanted, timing, { request, freshness, facts, now });

  // A registry that is asked may have another image by now: what is here says nothing about that one.
  const aboutCopy = plan.action === "Use" || !isAsking(wanted);
  const asked = aboutCopy ? seen : askedOf(request, parsed.reference, facts.image);
  const judged = aboutCopy ? readings : readRules(policy, asked, now);
  const admission = admit(judged);
  const required = checkRequirements(judged, asked);

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
  if (required.unmet.length > 0) return refuse("RequirementNotMet", complaint(required, request), pullPolicy, trace);

  const pending: Subject[] = [];
  if (admission.pending) pending.push("admit");
  if (required.pending) pending.push("require");
  switch (plan.action) {
    case "Refuse":
      return refuse(plan.reason, plan.message, pullPolicy, trace);
    case "Use":
      return { action: plan.action, message: plan.message, pullPolicy, trace, pending };
    case "Pull":
      return { action: plan.action, message: plan.message, ...from, pullPolicy, trace, pending };
    case "Check":
      return { ...plan, ...from, pullPolicy, trace, pending };
  }
}

/** What is known of the image: what it was resolved to, or else the copy on this machine. */
function knownImage(facts: LocalFacts): ImageFacts | undefined {
  return facts.image ?? (facts.presence === "present" ? facts.copy : undefined);
}

function isAsking({ action }: Plan): boolean {
  return action === "Check" || action === "Pull";
}

/** The pull policy that holds for a request, and who says so: a rule, the manifest, or Kubernetes' default. */
export function effectivePullPolicy(
  request: ImageRequest,
  policy: Policy,
  now: number,
  facts: LocalFacts,
): EffectivePullPolicy {
  return pullPolicyBy(choose("pull", readingsOf(request, policy, now, knownImage(facts))).rule, request);
}

/**
 * Whether what is on the machine matters to the decision. Under `Always` a kubelet does not look for a copy; here it
 * does where a rule says what a copy may be used for.
 */
export function looksForCopy(request: ImageRequest, policy: Policy, now: number): boolean {
  const readings = readingsOf(request, policy, now);
  const { rule, uncertain } = choose("pull", readings);
  const timing = timingOf(readings, now);
  const { checkEvery, maxStaleness, whenUnreachable } = rule?.pull ?? {};
  return (
    pullPolicyBy(rule, request).value !== "Always" ||
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

function pullPolicyBy(rule: Rule | undefined, request: ImageRequest): EffectivePullPolicy {
  const value = rule?.pull?.policy;
  return value === undefined ? own(request) : { value, from: "rule", because: `${rule?.id} says so` };
}

/** What holds where no rule says otherwise. */
function own(request: ImageRequest): EffectivePullPolicy {
  if (request.pullPolicy !== undefined) {
    const place = request.container.kind === "imageVolume" ? "volume" : "container";
    return { value: request.pullPolicy, from: "manifest", because: `the ${place} says so` };
  }
  const { value, because } = defaultPullPolicy(request.image);
  return { value, from: "default", because };
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

function denial({ id, message }: Rule, { image }: ImageRequest): string {
  return `Image ${quote(image)} is denied by ${id}${message === undefined ? "" : `: ${message}`}`;
}

function complaint({ unmet }: Required, { image }: ImageRequest): string {
  const rules = unmet.map(({ rule, problems }) => `${rule.id}: ${problems.join("; ")}`);
  return `Image ${quote(image)} is not what is required by ${rules.join("; by ")}`;
}

function refuse(
  reason: RefusalReason,
  message: string,
  pullPolicy: EffectivePullPolicy,
  trace: readonly TraceStep[],
): Decision {
  return { action: "Refuse", reason, message, pullPolicy, trace, pending: [] };
}
