/** Subjects `pull` and `from`: the first rule that matches decides. */
import { explain, type MatchedRule, speakingOn, statusOf } from "./matched-rules.ts";
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
  matched: readonly MatchedRule[],
  holdsAnyway: (rule: Rule) => boolean = () => false,
): Choice {
  let notes = "";
  let uncertain = false;
  for (const each of speakingOn(subject, matched)) {
    const { rule, result } = each;
    const status = statusOf(each);
    if (status === "unknown") uncertain = true;
    const counts = result.matches === "yes" || (result.matches === "failed" && holdsAnyway(rule));
    notes +=
      result.matches === "unknown"
        ? `; ${rule.id} waits for the labels in the image's own config`
        : explain(each, counts);
    if (status !== "lifted" && counts) return { rule, notes, uncertain };
  }
  return { rule: undefined, notes, uncertain };
}
