/**
 * What a decision comes to where nobody is asked: no registry can be, or a container is about to start from the copy on
 * its machine. That copy may be used, or it may not; a rule that would have a registry asked first holds as far as it
 * bounds the age of what is used unasked.
 */
import { quote } from "../support/go.ts";
import type { ImageRequest } from "../workload/index.ts";
import { refuse, tooOldUnasked } from "./refusals.ts";
import type { Decision, LocalFacts, Refusal, RefusalReason, Trial, Warning } from "./types.ts";

/** A decision about a copy, and the rule that could not be decided on without more of what the image says. */
export interface Copy {
  readonly decision: Decision;
  readonly pending?: { readonly reason: RefusalReason; readonly rule: string } | undefined;
}

export interface OnCopy {
  /** Why the copy may not be used; `undefined` if it may. */
  readonly refusal: Refusal | undefined;
  /** What rules on trial would refuse in a copy that is used. */
  readonly warnings: readonly Warning[];
}

/** A container's start from a copy. */
export interface Start extends OnCopy {
  readonly decision: Decision;
}

/** Nothing but the copy on this machine can be used: it is the image that is decided about. */
export function onCopy(facts: LocalFacts, decide: (facts: LocalFacts) => Decision): OnCopy {
  const image = facts.presence === "present" ? facts.copy : undefined;
  const decision = decide(image === undefined ? facts : { ...facts, image });
  return { refusal: decision.action === "Refuse" ? decision : undefined, warnings: warningsOf(decision) };
}

export function startFromCopy({ image }: Pick<ImageRequest, "image">, { decision, pending }: Copy): Start {
  const start = (refusal: Refusal | undefined): Start => {
    return { decision: refusal ?? decision, refusal, warnings: warningsOf(decision) };
  };
  if (decision.action === "Refuse") return start(decision);
  // Nobody decides again after this.
  if (pending !== undefined) {
    const { reason, rule } = pending;
    const message = `Image ${quote(image.given)} cannot be held to ${rule}: what it says of itself cannot be read on this machine`;
    return start(refuse(decision, reason, message));
  }
  if (decision.action !== "Check" || decision.tooOld === undefined) return start(undefined);
  return start(refuse(decision, "CachedCopyTooOld", tooOldUnasked(decision.tooOld, { image })));
}

/** Decides under each of the names: a refusal under one of them is one, and so is what a rule on trial would refuse. */
export function decideByNames<Named>(names: readonly Named[], decide: (name: Named) => Decision): Decision {
  let decision: Decision | undefined;
  for (const name of names) {
    const other = decide(name);
    if (other.action === "Refuse") return other;
    decision = decision === undefined ? other : { ...decision, trial: joined(decision.trial, other.trial) };
  }
  if (decision === undefined) throw new RangeError("a decision needs a name");
  return decision;
}

function joined(one: Trial, other: Trial): Trial {
  const warnings = [...one.warnings, ...other.warnings];
  return { warnings, ofCopy: [...one.ofCopy, ...other.ofCopy], open: one.open || other.open };
}

function warningsOf({ trial }: Decision): readonly Warning[] {
  return [...trial.warnings, ...trial.ofCopy];
}
