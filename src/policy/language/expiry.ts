/** When exemptions end: at the end of a day in UTC, `2027-01-31`, or at a moment, `2027-01-31T18:00:00+01:00`. */

import { momentPattern, parseMoment } from "./moment.ts";
import type { Parsed } from "./parsed.ts";
import type { Expiry } from "./types.ts";

export const expiryPattern = momentPattern;

const day = 86_400_000;

export function parseExpiry(text: string): Parsed<Expiry> {
  const parsed = parseMoment(text, " (to the end of that day in UTC)");
  if ("problem" in parsed) return parsed;
  const { value } = parsed;
  return { value: { text, at: value.kind === "day" ? value.midnight + day : value.at } };
}
