/** Refusals, and what is said of an image that a rule refuses. */
import { quote } from "../support/go.ts";
import type { ImageRequest } from "../workload/index.ts";
import type { Required } from "./subjects/require.ts";
import { type Decision, noTrial, type Refusal, type RefusalReason, type Rule } from "./types.ts";

type Named = Pick<ImageRequest, "image">;

export function denial({ id, message }: Rule, { image }: Named): string {
  return `Image ${quote(image.given)} is denied by ${id}${message === undefined ? "" : `: ${message}`}`;
}

export function unmetMessage(unmet: Required["unmet"], { image }: Named): string {
  const rules = unmet.map(({ rule, problems }) => `${rule.id}: ${problems.join("; ")}`);
  return `Image ${quote(image.given)} is not what is required by ${rules.join("; by ")}`;
}

/** @param why how old it is, and what is allowed */
export function tooOldUnasked(why: string, { image }: Named): string {
  return `The copy of image ${quote(image.given)} on this machine is too old to be used without asking a registry: ${why}`;
}

/** A refusal by the pull policy and the trace so far, be it of a decision that cannot be carried out. */
export function refuse(
  { pullPolicy, trace }: Pick<Decision, "pullPolicy" | "trace">,
  reason: RefusalReason,
  message: string,
): Refusal {
  return { action: "Refuse", reason, message, pullPolicy, trace, pending: [], trial: noTrial };
}
