/** Instants for people. */
import type { TimeZone } from "./types.ts";

/** The farthest that a Date reaches. */
const farthest = 8.64e15;

/** `2026-11-21T06:41:06Z`, to the second. */
export function instantText(instant: number): string {
  const bounded = Math.max(-farthest, Math.min(farthest, instant));
  return new Date(bounded).toISOString().replace(/\.[0-9]+Z$/, "Z");
}

/** As a clock on the wall of the time zone has it: `2026-11-23T08:00:00+01:00 (Europe/Berlin)`. */
export function wallText(instant: number, { name, offsetAt }: TimeZone): string {
  const offset = offsetAt(instant);
  if (offset === 0) return `${instantText(instant)} (${name})`;
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (number: number) => String(number).padStart(2, "0");
  const sign = offset < 0 ? "-" : "+";
  const wall = instantText(instant + offset).replace(/Z$/, "");
  return `${wall}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)} (${name})`;
}
