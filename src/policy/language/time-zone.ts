/** Time zones of the IANA database, as far as the JavaScript engine knows them. */

import type { Parsed } from "./parsed.ts";
import { suggestion } from "./spelling.ts";
import type { TimeZone } from "./types.ts";

export const timeZonePattern = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";

const shape = new RegExp(timeZonePattern);

export const utc: TimeZone = { name: "UTC", offsetAt: () => 0 };

export function parseTimeZone(text: string): Parsed<TimeZone> {
  const format = shape.test(text) ? formatIn(text) : undefined;
  if (format === undefined) {
    const hint = suggestion(text, ["UTC", ...Intl.supportedValuesOf("timeZone")]);
    return { problem: `a time zone is written like Europe/Berlin or UTC${hint}` };
  }
  return { value: { name: text, offsetAt: (instant) => wallClock(format, instant) - wholeSecond(instant) } };
}

function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
}

/** What the clock on the wall shows, as if it showed UTC. */
function wallClock(format: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const year = parts.get("era") === "BC" ? 1 - number("year") : number("year");
  const date = new Date(0);
  date.setUTCFullYear(year, number("month") - 1, number("day"));
  date.setUTCHours(number("hour"), number("minute"), number("second"));
  return date.getTime();
}

function wholeSecond(instant: number): number {
  return Math.floor(instant / 1000) * 1000;
}
