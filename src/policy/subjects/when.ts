/** Subject `when`, carried out: what a plan becomes outside of the windows in which registries may be asked. */
import { quote } from "../../support/go.ts";
import type { ImageRequest } from "../../workload/index.ts";
import { wallText } from "../instant.ts";
import type { MatchedRule } from "../matched-rules.ts";
import type { Choice } from "../select-rule.ts";
import { choose } from "../select-rule.ts";
import type { LocalFacts, PullTimes, Rule, TraceStep } from "../types.ts";
import { type Freshness, isUsable, type Plan } from "./pull.ts";
import { closingAt, isOpen, nextOpening } from "./pull-times.ts";

export interface Timing extends Choice {
  /** The times of a rule all of whose windows are closed now. */
  readonly closed: { readonly rule: Rule; readonly times: PullTimes } | undefined;
}

/** The rule that speaks on `when`. One whose expression failed holds if it is closed now, that is, if it can only refuse. */
export function timingOf(matched: readonly MatchedRule[], now: number): Timing {
  const isClosed = (rule: Rule) => rule.when !== undefined && !isOpen(rule.when, now);
  const choice = choose("when", matched, isClosed);
  const { rule } = choice;
  const closed = rule?.when !== undefined && isClosed(rule) ? { rule, times: rule.when } : undefined;
  return { ...choice, closed };
}

/** What is left of a plan now: without the network where no window is open. */
export function heedTimes(
  plan: Plan,
  { closed }: Timing,
  { request, freshness, facts, now }: { request: ImageRequest; freshness: Freshness; facts: LocalFacts; now: number },
): Plan {
  if (closed === undefined || plan.action === "Use" || plan.action === "Refuse") return plan;
  const { rule, times } = closed;
  const useCached = times.otherwise === "UseCached";
  const opening = nextOpening(times, now);
  const again = opening === undefined ? "" : `; the next window opens at ${wallText(opening, times.timeZone)}`;
  if (useCached && isUsable(freshness, facts, now)) {
    return { action: "Use", message: `the copy on this machine is used, for ${rule.id} allows no pulls now${again}` };
  }
  if (facts.presence === "unknown" && (useCached || mayDoWithout(freshness))) {
    const condition = useCached ? "the node's copy is used" : "a copy on the node that need not be checked is used";
    return { action: "Use", message: `${condition}, and the container waits where there is none${again}` };
  }
  const message = `Image ${quote(request.image.given)} may not be pulled now, by ${rule.id}${again}`;
  return { action: "Refuse", reason: "OutsidePullWindow", message };
}

/** Whether there are copies that are used without the network under a rule that denies it. */
function mayDoWithout({ pullPolicy, rule }: Freshness): boolean {
  return pullPolicy.value !== "Always" || rule?.pull?.checkEvery !== undefined;
}

export function timingTrace(timing: Timing, now: number): TraceStep {
  const { rule, notes } = timing;
  if (rule?.when === undefined) return { subject: "when", rule: null, because: `Kubernetes pulls at any time${notes}` };
  const { pull, closed: closings = [], timeZone } = rule.when;
  const windows = pull?.map(({ text }) => text).join(", ");
  const closedTexts = closings.map(({ text }) => text).join(", ");
  const times = [windows, closedTexts && `closed ${closedTexts}`].filter(Boolean).join("; ");
  return { subject: "when", rule: rule.id, because: `${times} in ${timeZone.name}: ${stateOf(timing, now)}${notes}` };
}

function stateOf({ rule, closed }: Timing, now: number): string {
  if (closed === undefined) return rule?.when?.pull === undefined ? "it is not closed now" : "a window is open now";
  const { times } = closed;
  const closing = closingAt(times, now);
  const why = closing === undefined ? "no window is open now" : `closed now, ${closing.text}`;
  return `${why}, otherwise ${times.otherwise}`;
}
