/** Durations as Go writes them, with days besides: `10m`, `1h30m`, `7d`. */

import type { Parsed } from "./parsed.ts";
import type { Duration } from "./types.ts";

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export const durationPattern = "^([0-9]+(\\.[0-9]+)?(ms|[dhms]))+$";

const whole = new RegExp(durationPattern);
const longest = 36_500 * 86_400_000;

const unitWords: readonly (readonly [RegExp, string])[] = [
  [/^w(?:eeks?)?$/i, "7d"],
  [/^d(?:ays?)?$/i, "d"],
  [/^h(?:(?:ou)?rs?)?$/i, "h"],
  [/^m(?:in(?:ute)?s?)?$/i, "m"],
  [/^s(?:ec(?:ond)?s?)?$/i, "s"],
];

export function parseDuration(text: string): Parsed<Duration> {
  if (!whole.test(text)) return { problem: `a duration is written like 10m, 1h30m or 7d${meant(text)}` };
  let milliseconds = 0;
  for (const [, number, unit = ""] of text.matchAll(/([0-9.]+)(ms|[dhms])/g)) {
    milliseconds += Number(number) * (units[unit] ?? 0);
  }
  if (milliseconds <= 0) return { problem: "the duration must be longer than nothing" };
  if (milliseconds > longest) return { problem: "the duration must not be longer than 36500d" };
  return { value: { text, milliseconds } };
}

/** `10 min` is most likely 10m. */
function meant(text: string): string {
  const [, number = "", word = ""] = /^\s*([0-9]{1,9})\s*([a-z]{1,10})\s*$/i.exec(text) ?? [];
  const unit = unitWords.find(([pattern]) => pattern.test(word))?.[1];
  if (unit === undefined) return "";
  return `; did you mean ${unit === "7d" ? `${Number(number) * 7}d` : number + unit}?`;
}
