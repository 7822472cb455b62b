import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wallText } from "../instant.ts";
import { parseTimeZone } from "../language/time-zone.ts";
import { parseWindow } from "../language/window.ts";
import type { PullTimes, PullWindow, TimeZone } from "../types.ts";
import { isOpen, nextOpening } from "./when.ts";

function zone(name: string): TimeZone {
  const parsed = parseTimeZone(name);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

function window(text: string): PullWindow {
  const parsed = parseWindow(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

function times(timeZone: TimeZone, ...texts: readonly string[]): PullTimes {
  return { pull: texts.map(window), timeZone, otherwise: "Deny" };
}

const names = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];
const zones = fc.constantFrom(...names.map(zone));
/** Years with clocks that are put forward and back, to the minute. */
const instants = fc
  .integer({ min: Date.parse("2020-01-01T00:00:00Z") / 60_000, max: Date.parse("2030-01-01T00:00:00Z") / 60_000 })
  .map((minutes) => minutes * 60_000);
const clock = fc.integer({ min: 0, max: 24 * 60 - 1 }).map((minutes) => {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
});
const day = fc.constantFrom("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");
const twoClocks = fc.tuple(clock, clock).filter(([one, other]) => one !== other);

describe("a window and the rest of the day", () => {
  it("share all time between them, whatever the clocks do", () => {
    fc.assert(
      fc.property(zones, twoClocks, instants, (timeZone, [one, other], now) => {
        const inside = isOpen(times(timeZone, `${one}-${other}`), now);
        const outside = isOpen(times(timeZone, `${other}-${one}`), now);
        expect(inside).toBe(!outside);
      }),
    );
  });

  it("follow the clock on the wall, as the engine formats it", () => {
    fc.assert(
      fc.property(zones, twoClocks, instants, (timeZone, [start, end], now) => {
        const format = new Intl.DateTimeFormat("en-GB", { timeZone: timeZone.name, timeStyle: "short" });
        const wall = format.format(now);
        const inside = start < end ? wall >= start && wall < end : wall >= start || wall < end;
        expect(isOpen(times(timeZone, `${start}-${end}`), now)).toBe(inside);
      }),
    );
  });
});

it("every instant of a week is inside exactly one of its seven days", () => {
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  fc.assert(
    fc.property(zones, instants, (timeZone, now) => {
      expect(days.filter((each) => isOpen(times(timeZone, each), now))).toHaveLength(1);
    }),
  );
});

describe("the next opening", () => {
  it("is open, and nothing is open before it", () => {
    fc.assert(
      fc.property(zones, day, twoClocks, instants, (timeZone, weekday, [start, end], now) => {
        const given = times(timeZone, `${weekday} ${start}-${end}`);
        const opening = nextOpening(given, now);
        expect(opening).toBeDefined();
        if (opening === undefined) return;
        expect(isOpen(given, opening)).toBe(true);
        if (opening === now) return;
        expect(isOpen(given, opening - 1)).toBe(false);
        for (let at = now; at < opening; at += 17 * 60_000) expect(isOpen(given, at)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("is now where a window is open", () => {
    expect(nextOpening(times(zone("UTC"), "*"), 12_345)).toBe(12_345);
  });
});

describe("a freeze", () => {
  const minutes = (most: number) => fc.integer({ min: 1, max: most }).map((number) => number * 60_000);
  const freezes = (now: number) =>
    fc.array(
      fc.tuple(minutes(14 * 24 * 60), minutes(14 * 24 * 60)).map(([ahead, length]) => {
        const from = now - 7 * 24 * 3_600_000 + ahead;
        return { text: "a freeze", from, until: from + length };
      }),
      { maxLength: 5 },
    );

  it("closes what is open, and the next opening is the first instant that neither closes", () => {
    fc.assert(
      fc.property(
        instants.chain((now) => fc.tuple(fc.constant(now), freezes(now))),
        twoClocks,
        fc.boolean(),
        ([now, closed], [start, end], hasWindow) => {
          const { pull, ...always } = times(zone("UTC"), `${start}-${end}`);
          const given: PullTimes = { ...always, ...(hasWindow && { pull }), closed };
          const opening = nextOpening(given, now) ?? Number.NaN;
          expect(isOpen(given, opening)).toBe(true);
          for (let at = now; at < opening; at += 60_000) if (isOpen(given, at)) expect(at).toBe(opening);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a time zone", () => {
  it.each([
    ["UTC", "2026-07-01T00:00:00Z", 0],
    ["Europe/Berlin", "2026-07-01T00:00:00Z", 120],
    ["Europe/Berlin", "2026-12-01T00:00:00Z", 60],
    ["America/New_York", "2026-12-01T00:00:00.999Z", -300],
    ["Australia/Lord_Howe", "2026-01-01T00:00:00Z", 660],
    ["Australia/Lord_Howe", "2026-07-01T00:00:00Z", 630],
    ["Asia/Kathmandu", "1969-12-31T23:59:59.500Z", 330],
  ])("%s at %s", (name, instant, minutes) => {
    expect(zone(name).offsetAt(Date.parse(instant))).toBe(minutes * 60_000);
  });

  it.each([
    ["UTC", "2026-11-23T08:00:00Z (UTC)"],
    ["Europe/Berlin", "2026-11-23T09:00:00+01:00 (Europe/Berlin)"],
    ["America/New_York", "2026-11-23T03:00:00-05:00 (America/New_York)"],
    ["Asia/Kathmandu", "2026-11-23T13:45:00+05:45 (Asia/Kathmandu)"],
  ])("%s is told as %s", (name, text) => {
    expect(wallText(Date.parse("2026-11-23T08:00:00Z"), zone(name))).toBe(text);
  });

  it.each(["", "Mars/Olympus", "+01:00", "Europe/", "x".repeat(600)])("is not %j", (text) => {
    expect(parseTimeZone(text)).toHaveProperty("problem");
  });
});
