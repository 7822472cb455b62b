/** Subjects `pull` and `from`: the first rule that matches decides. */
import { noteOn, type Reading, speakingOn, standingOf } from "./readings.ts";
import type { Rule } from "./types.ts";

export interface Choice {
  readonly rule: Rule | undefined;
  /** What the trace adds: rules that were lifted or failed. */
  readonly notes: string;
  /** Whether another rule could be the first, were it known what the image itself says. */
  readonly uncertain: boolean;
}

/**
 * Rules that depend on what the image itself says match only when that is known, and those whose expression failed
 * do not match, unless `holdsAnyway` says that this one does.
 */
export function choose(
  subject: "pull" | "from" | "when",
  readings: readonly Reading[],
  holdsAnyway: (rule: Rule) => boolean = () => false,
): Choice {
  let notes = "";
  let uncertain = false;
  for (const reading of speakingOn(subject, readings)) {
    const { rule, verdict } = reading;
    const standing = standingOf(reading);
    if (standing === "unknown") uncertain = true;
    const counts = verdict.matches === "yes" || (verdict.matches === "failed" && holdsAnyway(rule));
    notes +=
      verdict.matches === "unknown"
        ? `; ${rule.id} waits for the labels in the image's own config`
        : noteOn(reading, counts);
    if (standing !== "lifted" && counts) return { rule, notes, uncertain };
  }
  return { rule: undefined, notes, uncertain };
}
