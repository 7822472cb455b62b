/**
 * What a decision comes to where nobody is asked any more: a container is about to start from the copy on its machine.
 * That copy may be used, or it may not; a rule that would have a registry asked first holds as far as it bounds the age
 * of what is used unasked.
 */
import { quote } from "../support/go.ts";
import type { ImageRequest } from "../workload/index.ts";
import { tooOldUnasked } from "./refusal-messages.ts";
import { noTrial } from "./trial.ts";
import type { Decision, LocalFacts, Refusal, RefusalReason, Subject, Warning } from "./types.ts";

/** What is known where nothing but the copy on this machine can be used: it is the image that is decided about. */
export function factsOfCopy(facts: LocalFacts): LocalFacts {
  const image = facts.presence === "present" ? facts.copy : undefined;
  return image === undefined ? facts : { ...facts, image };
}

/** Why the copy may not be used; `undefined` if it may. */
export function refusalOfCopy(decision: Decision, { image }: Pick<ImageRequest, "image">): Refusal | undefined {
  if (decision.action === "Refuse") return decision;
  const { trace, pullPolicy } = decision;
  const refuse = (reason: RefusalReason, message: string): Refusal => {
    return { action: "Refuse", reason, message, pullPolicy, trace, pending: [], trial: noTrial };
  };
  const [subject] = decision.pending;
  // Nobody decides again after this.
  if (subject !== undefined) {
    const rule = trace.find((step) => step.subject === subject)?.rule ?? "the policy";
    const message = `Image ${quote(image)} cannot be held to ${rule}: what it says of itself cannot be read on this machine`;
    return refuse(reasons[subject] ?? "RequirementNotMet", message);
  }
  if (decision.action !== "Check" || decision.tooOld === undefined) return undefined;
  return refuse("CachedCopyTooOld", tooOldUnasked(decision.tooOld, { image }));
}

/** What rules on trial would have refused in a copy that is used and that nobody was asked about. */
export function warningsOfCopy({ trial }: Decision): readonly Warning[] {
  return [...trial.warnings, ...trial.ofCopy];
}

const reasons: Partial<Record<Subject, RefusalReason>> = { admit: "ImageDenied", require: "RequirementNotMet" };
