/** What a pull policy asks for, given what is on this machine: Kubernetes' own behaviour, and what a rule adds to it. */
import { quote } from "../../support/go.ts";
import type { ImageRequest } from "../../workload/index.ts";
import { instantText } from "../instant.ts";
import type { Decision, EffectivePullPolicy, LocalFacts, Refusal, Rule, TraceStep } from "../types.ts";

type Check = Extract<Decision, { action: "Check" }>;

/** What is to be done, before anybody asked whether it may be done now. */
export type Plan =
  | { readonly action: "Use" | "Pull"; readonly message: string }
  | Pick<Check, "action" | "message" | "decidedBy" | "whenUnreachable" | "tooOld">
  | Pick<Refusal, "action" | "message" | "reason">;

export interface Freshness {
  readonly pullPolicy: EffectivePullPolicy;
  /** The rule that speaks on `pull`. */
  readonly rule: Rule | undefined;
}

export function planPull(request: ImageRequest, freshness: Freshness, facts: LocalFacts, now: number): Plan {
  const granted = isGranted(facts);
  const tooOld = granted && isTooOld(freshness, facts, now);
  switch (freshness.pullPolicy.value) {
    case "Always":
      return always();
    case "IfNotPresent":
      return ifNotPresent();
    case "Never":
      return never();
  }

  function always(): Plan {
    const until = tooOld ? undefined : confirmedUntil(freshness, facts, now);
    if (until !== undefined) {
      return use(
        `the copy on this machine was confirmed lately and is used without asking until ${instantText(until)}, as ${freshness.rule?.id} has it`,
      );
    }
    return check(
      "the registry must be asked because the pull policy is Always: it says which digest the name has now, and the image is pulled if that is not here",
    );
  }

  function ifNotPresent(): Plan {
    if (facts.presence !== "present") {
      const isUnknown = facts.presence === "unknown";
      const because = isUnknown
        ? "the image is pulled, unless the node has a copy"
        : "there is no copy on this machine, so the image is pulled";
      return { action: "Pull", message: because };
    }
    if (tooOld)
      return check(
        `the registry must be asked because the copy on this machine is too old (${ageOf(freshness, facts)})`,
      );
    if (granted) return use("the copy on this machine is used; the registry is not asked");
    return check(
      "the registry must be asked whether this pod may have the image, because the copy on this machine was pulled with other credentials",
    );
  }

  function never(): Plan {
    if (tooOld) {
      const message = `Container image ${quote(request.image.given)} is too old with pull policy of Never: ${ageOf(freshness, facts)}`;
      return { action: "Refuse", reason: "CachedCopyTooOld", message };
    }
    if (granted) return use("the copy on this machine is used; the registry is never asked");
    if (facts.presence === "unknown")
      return use("the node's copy is used, and the container fails with ErrImageNeverPull where there is none");
    // The text for "absent" and for "present, but not for this pod" is the same on purpose: it must not tell them apart.
    const message = `Container image ${quote(request.image.given)} is not present with pull policy of Never`;
    return { action: "Refuse", reason: "ErrImageNeverPull", message };
  }

  function check(message: string): Plan {
    const whenUnreachable = fallback(freshness, facts, tooOld);
    const decidedBy = freshness.rule?.id ?? null;
    const text = `${message}${fallbackText[whenUnreachable]}`;
    const plan = { action: "Check", message: text, decidedBy, whenUnreachable } as const;
    return tooOld ? { ...plan, tooOld: ageOf(freshness, facts) } : plan;
  }
}

function use(message: string): Plan {
  return { action: "Use", message };
}

/** Whether the copy on this machine may be used by this pod and is not too old for the rule that speaks on `pull`. */
export function isUsable(freshness: Freshness, facts: LocalFacts, now: number): boolean {
  return isGranted(facts) && !isTooOld(freshness, facts, now);
}

const fallbackText: Readonly<Record<Check["whenUnreachable"], string>> = {
  Fail: "",
  UseCached: "; if no registry can be reached, the copy on this machine is used",
  RefuseAsTooOld: "; if no registry can be reached, the copy on this machine is too old to be used",
};

/** A copy is used in place of an answer only for a pod that may have it: one that it cannot have, it must not notice. */
function fallback({ rule }: Freshness, facts: LocalFacts, tooOld: boolean): Check["whenUnreachable"] {
  if (tooOld) return "RefuseAsTooOld";
  if (rule?.pull?.whenUnreachable !== "UseCached") return "Fail";
  return facts.presence === "unknown" || isGranted(facts) ? "UseCached" : "Fail";
}

function isGranted(facts: LocalFacts): boolean {
  return facts.presence === "present" && facts.access === "granted";
}

function isTooOld({ rule }: Freshness, facts: LocalFacts, now: number): boolean {
  const most = rule?.pull?.maxStaleness;
  if (most === undefined) return false;
  const age = ageIn(facts, now);
  return age === undefined || age > most.milliseconds;
}

/** Until when the registry need not be asked again; `undefined` if it must be now. */
function confirmedUntil({ rule }: Freshness, facts: LocalFacts, now: number): number | undefined {
  const every = rule?.pull?.checkEvery;
  const age = ageIn(facts, now);
  if (every === undefined || age === undefined || !isGranted(facts) || age >= every.milliseconds) return undefined;
  return now - age + every.milliseconds;
}

/** Milliseconds since a registry confirmed the copy. A moment that is yet to come confirms nothing: a clock was wrong. */
function ageIn(facts: LocalFacts, now: number): number | undefined {
  if (facts.presence !== "present" || facts.confirmedAt === undefined || facts.confirmedAt > now) return undefined;
  return now - facts.confirmedAt;
}

function ageOf({ rule }: Freshness, facts: LocalFacts): string {
  const confirmedAt = facts.presence === "present" ? facts.confirmedAt : undefined;
  const confirmed =
    confirmedAt === undefined
      ? "no registry ever confirmed it"
      : `it was last confirmed at ${instantText(confirmedAt)}`;
  return `${confirmed}, and ${rule?.id} allows ${rule?.pull?.maxStaleness?.text}`;
}

export function pullTrace({ pullPolicy, rule }: Freshness, notes: string): TraceStep {
  const { checkEvery, maxStaleness, whenUnreachable } = rule?.pull ?? {};
  const more = [
    checkEvery && `; the registry is asked every ${checkEvery.text} at most`,
    whenUnreachable === "UseCached" && "; the copy on the machine is used if no registry can be reached",
    maxStaleness && `; no copy is used that was not confirmed within ${maxStaleness.text}`,
  ].filter((text) => typeof text === "string");
  const because = `${pullPolicy.value}: ${pullPolicy.because}${more.join("")}${notes}`;
  return { subject: "pull", rule: rule?.id ?? null, because };
}
