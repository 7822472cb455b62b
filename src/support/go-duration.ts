import { quote } from "./go.ts";

/** Milliseconds of a unit. */
const units: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["\u00b5s", 1e-3],
  ["\u03bcs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Milliseconds; Go counts nanoseconds in 64 bits. */
const longest = 2 ** 63 / 1e6;

const part = /([0-9]*\.?[0-9]*)([^0-9.]*)/y;

export type GoDuration = { readonly milliseconds: number } | { readonly problem: string };

/** Reads what Go's `time.ParseDuration` reads, `2m`, `1h30m`, `-1.5s`, `0`, and refuses the rest in its words. */
export function parseGoDuration(text: string): GoDuration {
  const sign = /^[-+]/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length);
  if (rest === "0") return { milliseconds: 0 };
  if (rest === "") return { problem: `time: invalid duration ${quote(text)}` };
  let milliseconds = 0;
  for (part.lastIndex = 0; part.lastIndex < rest.length; ) {
    const [, number = "", unit = ""] = part.exec(rest) ?? [];
    if (!/[0-9]/.test(number)) return { problem: `time: invalid duration ${quote(text)}` };
    if (unit === "") return { problem: `time: missing unit in duration ${quote(text)}` };
    const factor = units.get(unit);
    if (factor === undefined) return { problem: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    milliseconds += Number(number) * factor;
  }
  if (milliseconds >= longest) return { problem: `time: invalid duration ${quote(text)}` };
  return { milliseconds: sign === "-" && milliseconds > 0 ? -milliseconds : milliseconds };
}
