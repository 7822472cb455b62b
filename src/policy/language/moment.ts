/** Points of time as people write them: a day, `2027-01-31`, or a moment of RFC 3339, `2027-01-31T18:00:00+01:00`. */

import type { Parsed } from "./parsed.ts";

const hours = "([01][0-9]|2[0-3])";
const minutes = "[0-5][0-9]";

export const momentPattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt]${hours}:${minutes}:${minutes}(\\.[0-9]{1,9})?([Zz]|[+-]${hours}:${minutes}))?$`;

const whole = new RegExp(momentPattern);
/** The same, with a time of day that no clock has: `24:00:00`, which JavaScript takes for the next day. */
const shape =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$/;

export type Moment =
  /** Midnight at which the day begins, if it were one in UTC; milliseconds since the epoch. */
  { readonly kind: "day"; readonly midnight: number } | { readonly kind: "instant"; readonly at: number };

/** @param dayMeans what the message adds to a day: ` (to the end of that day in UTC)` */
export function parseMoment(text: string, dayMeans = ""): Parsed<Moment> {
  if (!shape.test(text)) {
    return { problem: `a date is written like 2027-01-31${dayMeans} or 2027-01-31T18:00:00Z (RFC 3339)` };
  }
  const date = text.slice(0, 10);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // JavaScript takes 30 February for 2 March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) {
    return { problem: "there is no such day" };
  }
  if (text.length === date.length) return { value: { kind: "day", midnight } };
  const at = whole.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  return Number.isNaN(at) ? { problem: "there is no such time of day" } : { value: { kind: "instant", at } };
}
