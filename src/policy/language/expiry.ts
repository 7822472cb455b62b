/** When exemptions end: at the end of a day in UTC, `2027-01-31`, or at a moment, `2027-01-31T18:00:00+01:00`. */

import type { Parsed } from "./parsed.ts";
import type { Expiry } from "./types.ts";

export const expiryPattern =
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$";

const whole = new RegExp(expiryPattern);
const day = 86_400_000;

export function parseExpiry(text: string): Parsed<Expiry> {
  if (!whole.test(text)) {
    return {
      problem: "a date is written like 2027-01-31 (to the end of that day in UTC) or 2027-01-31T18:00:00Z (RFC 3339)",
    };
  }
  const date = text.slice(0, 10);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // JavaScript takes 30 February for 2 March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) {
    return { problem: "there is no such day" };
  }
  const at = text.length === 10 ? midnight + day : Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? { problem: "there is no such time of day" } : { value: { text, at } };
}
