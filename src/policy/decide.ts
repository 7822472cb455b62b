/**
 * The one decision. Where no rule speaks, it is what a kubelet does
 * (k8s pkg/kubelet/images/image_manager.go, `EnsureImageExists`).
 */
import { isLoopback, registryOrigin } from "../image/origin.ts";
import { parseImageName, type Reference } from "../image/reference.ts";
import { errorText } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { defaultPullPolicy } from "../workload/defaults.ts";
import type { ImageRequest, PullPolicy } from "../workload/types.ts";
import type { Decision, EffectivePullPolicy, Fetching, LocalFacts, Policy, RefusalReason, TraceStep } from "./types.ts";

/** May this workload have this image now, from where, and how fresh must it be? Pure: time and facts are handed in. */
export function decide(request: ImageRequest, policy: Policy, facts: LocalFacts, _now: number): Decision {
  const pullPolicy = effectivePullPolicy(request, policy);
  const parsed = parse(request.image);
  if ("problem" in parsed) return refuse("InvalidImageName", parsed.problem, pullPolicy, []);
  const from: Fetching = { sources: [originOf(parsed.reference)], order: "Listed" };
  const decided = { pullPolicy, trace: kubernetesTrace(pullPolicy, from.sources), pending: [] };
  switch (pullPolicy.value) {
    case "Always":
      return check(
        "the registry is asked for the digest that the name has now, and the image is pulled if that is not here",
      );
    case "IfNotPresent":
      return ifNotPresent();
    case "Never":
      return never();
  }

  function ifNotPresent(): Decision {
    if (facts.presence !== "present") {
      const unless = facts.presence === "unknown" ? ", unless the node has a copy" : "";
      return { action: "Pull", message: `the image is pulled${unless}`, ...from, ...decided };
    }
    if (facts.access === "granted") return use("the copy on this machine is used; the registry is not asked");
    return check(
      "the copy on this machine was pulled with other credentials, so the registry is asked whether this pod may have it",
    );
  }

  function never(): Decision {
    const usable = facts.presence === "present" && facts.access === "granted";
    if (usable) return use("the copy on this machine is used; the registry is never asked");
    if (facts.presence === "unknown")
      return use("the node's copy is used, and the container fails with ErrImageNeverPull where there is none");
    // The text for "absent" and for "present, but not for this pod" is the same on purpose: it must not tell them apart.
    const message = `Container image ${quote(request.image)} is not present with pull policy of Never`;
    return refuse("ErrImageNeverPull", message, pullPolicy, decided.trace);
  }

  function use(message: string): Decision {
    return { action: "Use", message, ...decided };
  }

  function check(message: string): Decision {
    return { action: "Check", message, whenUnreachable: "Fail", ...from, ...decided };
  }
}

/** The pull policy that holds for a request, and who says so: the manifest, or Kubernetes' default for the reference. */
export function effectivePullPolicy(request: ImageRequest, _policy: Policy): EffectivePullPolicy {
  if (request.pullPolicy !== undefined) {
    return { value: request.pullPolicy, from: "manifest", because: `the ${placeOf(request)} says so` };
  }
  const { value, because } = defaultPullPolicy(request.image);
  return { value, from: "default", because };
}

/** Whether a kubelet looks for a local copy before it decides: not under `Always`. */
export function looksForCopy(pullPolicy: PullPolicy): boolean {
  return pullPolicy !== "Always";
}

function placeOf(request: ImageRequest): string {
  return request.container.kind === "imageVolume" ? "volume" : "container";
}

function parse(image: string): { reference: Reference } | { problem: string } {
  try {
    return { reference: parseImageName(image) };
  } catch (error) {
    return { problem: `Failed to apply default image tag ${quote(image)}: ${errorText(error)}` };
  }
}

function originOf({ repository }: Reference): string {
  return registryOrigin(repository.registry, isLoopback(repository.registry));
}

function refuse(
  reason: RefusalReason,
  message: string,
  pullPolicy: EffectivePullPolicy,
  trace: readonly TraceStep[],
): Decision {
  return { action: "Refuse", reason, message, pullPolicy, trace, pending: [] };
}

function kubernetesTrace(pullPolicy: EffectivePullPolicy, sources: readonly string[]): readonly TraceStep[] {
  return [
    { subject: "admit", rule: null, because: "Kubernetes admits every image" },
    { subject: "pull", rule: null, because: `${pullPolicy.value}: ${pullPolicy.because}` },
    { subject: "when", rule: null, because: "Kubernetes pulls at any time" },
    { subject: "from", rule: null, because: `${sources.join(", ")} is the registry in the image's name` },
    { subject: "require", rule: null, because: "Kubernetes requires nothing of an image" },
  ];
}
