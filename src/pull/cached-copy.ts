/** The copy on this machine where nobody can be asked about it. */
import type { Digest } from "../image/index.ts";
import { type Decision, type LocalFacts, type Presence, type Refusal, refuse } from "../policy/index.ts";
import { errorText, type PulleyError } from "../support/errors.ts";
import { formatDuration, quote } from "../support/go.ts";
import type { PullRequest, Unconfirmed } from "./image-pull.ts";

/** The event that tells of each use of a copy that nobody confirmed. Kubernetes has none, for it never does so. */
export const usedCachedEvent = "RegistryUnavailableUsedCached";

/** The copy on this machine, and what was decided about it. */
export interface Copy {
  readonly id: Digest | undefined;
  readonly facts: LocalFacts;
  /** Why it may not be used, whoever can be asked. */
  readonly refusal: Refusal | undefined;
}

/**
 * What happens where a decision is to ask, and nobody can be asked. Whoever may not use the copy on this machine learns
 * nothing of it.
 * @returns `undefined` if it is a failure like any other
 */
export function withoutAnswer(
  { container, record }: Pick<PullRequest, "container" | "record">,
  decision: Decision,
  { id, facts, refusal }: Copy,
  now: number,
): ((error: PulleyError) => Unconfirmed) | undefined {
  if (decision.action !== "Check" || decision.whenUnreachable === "Fail") return undefined;
  if (id === undefined || facts.presence !== "present" || facts.access !== "granted") return undefined;
  const image = `image ${quote(container.image)}`;
  const state = confirmed(facts, now);
  return (error) => {
    if (refusal !== undefined) return { refusal };
    if (decision.whenUnreachable === "RefuseAsTooOld") {
      const who = decision.decidedBy ?? "the policy";
      const text = `Nobody can be asked about ${image}, and the copy on this machine is older than ${who} allows`;
      const message = `${text}: it was ${state}: ${errorText(error)}`;
      return { refusal: refuse(decision, "CachedCopyTooOld", message) };
    }
    const copy = facts.digest === undefined ? state : `${facts.digest}, ${state}`;
    const text = `Nobody can be asked about ${image}, so the copy on this machine is used (${copy})`;
    record("Warning", usedCachedEvent, `${text}: ${errorText(error)}`);
    return { imageId: id };
  };
}

function confirmed({ confirmedAt }: Presence & { readonly presence: "present" }, now: number): string {
  if (confirmedAt === undefined) return "never confirmed by a registry";
  const ago = formatDuration(Math.max(0, now - confirmedAt));
  return `last confirmed at ${new Date(confirmedAt).toISOString()}, ${ago} ago`;
}
