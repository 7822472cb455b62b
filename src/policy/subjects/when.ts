/** Subject `when`, carried out: what a plan becomes outside of the windows in which registries may be asked. */
import { quote } from "../../support/go.ts";
import type { ImageRequest } from "../../workload/index.ts";
import { wallText } from "../instant.ts";
import type { MatchedRule } from "../matched-rules.ts";
import { type Choice, choose } from "../select-rule.ts";
import type { Closing, LocalFacts, PullTimes, PullWindow, Rule, TimeZone, TraceStep } from "../types.ts";
import { type Freshness, isUsable, type Plan } from "./pull.ts";

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

// Subject `when`: whether registries may be asked now, and if not, from when on.

const minute = 60_000;
const week = 7 * 24 * 60;
/** 1 January 1970 was a Thursday. */
const mondayBefore = 3 * 24 * 60;
const probe = 6 * 60 * minute;
/** A window of minutes that falls into the hour that spring leaves out comes a week later. */
const farthest = 15 * 24 * 60 * minute;

/** Whether an instant is inside a window by the clock on the wall. An hour that comes twice in autumn is inside twice. */
export function isOpen(times: PullTimes, now: number): boolean {
  return closingAt(times, now) === undefined && isInWindow(times, now);
}

/** What closes an instant whatever the windows say; of several, the one that ends last. */
function closingAt({ closed = [] }: PullTimes, now: number): Closing | undefined {
  const [last] = closed
    .filter(({ from, until }) => now >= from && now < until)
    .toSorted((one, other) => other.until - one.until);
  return last;
}

/**
 * The next instant at which registries may be asked; `undefined` if no window opens within two weeks, or within two
 * weeks of the end of what closes them.
 */
export function nextOpening(times: PullTimes, now: number): number | undefined {
  let from = now;
  // Each round leaves at least one of them behind.
  for (const _ of [undefined, ...(times.closed ?? [])]) {
    const opening = nextWindow(times, from);
    if (opening === undefined) return undefined;
    const closing = closingAt(times, opening);
    if (closing === undefined) return opening;
    from = closing.until;
  }
  return undefined;
}

function isInWindow({ pull, timeZone }: PullTimes, now: number): boolean {
  return pull === undefined || isInside(pull, minuteOfWeek(now + timeZone.offsetAt(now)));
}

function nextWindow(times: PullTimes, now: number): number | undefined {
  let from = now;
  while (from <= now + farthest) {
    if (isInWindow(times, from)) return from;
    const opening = openingAfter(times.pull ?? [], from, times.timeZone.offsetAt(from));
    const change = nextChange(times.timeZone, from, opening);
    if (change === undefined) return opening;
    from = change;
  }
  return undefined;
}

/** As if the clock were never put forward or back. */
function openingAfter(windows: readonly PullWindow[], from: number, offset: number): number {
  const wall = from + offset;
  const now = minuteOfWeek(wall);
  const waits = windows.flatMap(({ spans }) => spans.map(({ start }) => ((start - now + week - 1) % week) + 1));
  return Math.floor(wall / minute) * minute + Math.min(...waits) * minute - offset;
}

function isInside(windows: readonly PullWindow[], at: number): boolean {
  return windows.some(({ spans }) =>
    spans.some(({ start, end }) => (at >= start && at < end) || (at + week >= start && at + week < end)),
  );
}

function minuteOfWeek(wall: number): number {
  const minutes = (Math.floor(wall / minute) + mondayBefore) % week;
  return minutes < 0 ? minutes + week : minutes;
}

/** The first instant after `from`, and not after `until`, at which the clock is put forward or back. */
function nextChange({ offsetAt }: TimeZone, from: number, until: number): number | undefined {
  const offset = offsetAt(from);
  for (let before = from; before < until; before += probe) {
    const at = Math.min(before + probe, until);
    if (offsetAt(at) !== offset) return firstOther(offsetAt, offset, before, at);
  }
  return undefined;
}

/** Between `low`, where the offset still holds, and `high`, where it does not: to the second. */
function firstOther(offsetAt: TimeZone["offsetAt"], offset: number, low: number, high: number): number {
  let before = Math.floor(low / 1000);
  let after = Math.ceil(high / 1000);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle * 1000) === offset) before = middle;
    else after = middle;
  }
  return after * 1000;
}
