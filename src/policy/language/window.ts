/** Windows of a week: `Mon-Fri 08:00-18:00`, `Sat,Sun 10:00-14:00`, `22:00-06:00` over midnight, `Sun`, `*`. */

import type { Parsed } from "./parsed.ts";
import { likely } from "./spelling.ts";
import type { PullWindow } from "./types.ts";

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const dayMinutes = 24 * 60;

const day = `(${days.join("|")})`;
const dayList = `${day}(-${day})?(,${day}(-${day})?)*`;
const time = "([01][0-9]|2[0-3]):[0-5][0-9]";
const timeRange = `${time}-(${time}|24:00)`;

export const windowPattern = `^(\\*|${dayList}|(${dayList} )?${timeRange})$`;

const whole = new RegExp(windowPattern);

export function parseWindow(text: string): Parsed<PullWindow> {
  if (text === "*") return { value: { text, spans: everyDay().map((number) => spanOf(number, 0, dayMinutes)) } };
  if (!whole.test(text)) return { problem: `a window is written like "Mon-Fri 08:00-18:00" or "*"${meant(text)}` };
  const [first = "", second] = text.split(" ");
  const onlyTimes = /^[0-9]/.test(first);
  const [start, end] = timesOf(onlyTimes ? first : (second ?? "00:00-24:00"));
  if (start === end) return { problem: `the window has no length; write "00:00-24:00" for whole days` };
  const numbers = onlyTimes ? everyDay() : daysOf(first);
  return { value: { text, spans: numbers.map((number) => spanOf(number, start, end)) } };
}

/** A window that ends before it begins ends on the next day. */
function spanOf(number: number, start: number, end: number): { start: number; end: number } {
  const midnight = number * dayMinutes;
  return { start: midnight + start, end: midnight + end + (end < start ? dayMinutes : 0) };
}

function everyDay(): number[] {
  return days.map((_, number) => number);
}

/** `Sat-Mon` goes over the end of the week. */
function daysOf(text: string): number[] {
  const found = new Set<number>();
  for (const range of text.split(",")) {
    const [first = "", last = first] = range.split("-");
    const from = numberOf(first);
    const length = ((numberOf(last) - from + 7) % 7) + 1;
    for (let step = 0; step < length; step += 1) found.add((from + step) % 7);
  }
  return [...found].toSorted((one, other) => one - other);
}

function numberOf(name: string): number {
  return days.findIndex((known) => known === name);
}

function timesOf(text: string): [number, number] {
  const [start = 0, end = 0] = text.split("-").map((clock) => {
    const [hours = 0, minutes = 0] = clock.split(":").map(Number);
    return hours * 60 + minutes;
  });
  return [start, end];
}

/** `monday - friday 8:00 - 18:00` is most likely Mon-Fri 08:00-18:00. */
function meant(text: string): string {
  if (text.length > 100) return "";
  const repaired = text
    .trim()
    .replaceAll(/\s*([-,–])\s*/g, (_, sign: string) => (sign === "–" ? "-" : sign))
    .replaceAll(/\s+/g, " ")
    .replaceAll(/(?<![0-9])([0-9]):/g, "0$1:")
    .replaceAll(/[a-z]+/gi, (word) => likely(word.slice(0, 3), days) ?? word);
  return repaired !== text && whole.test(repaired) ? `; did you mean "${repaired}"?` : "";
}
