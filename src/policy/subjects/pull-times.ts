/** Subject `when`: whether registries may be asked now, and if not, from when on. */
import type { Closing, PullTimes, PullWindow, TimeZone } from "../types.ts";

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
export function closingAt({ closed = [] }: PullTimes, now: number): Closing | undefined {
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
