import { describe, expect, it } from "vitest";
import type { OpeningsOfDay, TrendFacts } from "./history.ts";
import { type TrendOptions, trendOf } from "./trend.ts";

const day = 86_400_000;
const dayOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / day;
const opening = (opened: string, closed: string | null, more: Partial<OpeningsOfDay> = {}): OpeningsOfDay => ({
  opened: dayOf(opened),
  closed: closed === null ? null : dayOf(closed),
  severity: "high",
  team: null,
  count: 1,
  duration: closed === null ? 0 : (dayOf(closed) - dayOf(opened)) * day,
  ...more,
});
const workloads = (date: string, count: number, cluster = "eu", team: string | null = null) => ({
  day: dayOf(date),
  cluster,
  team,
  workloads: count,
});

function periodsOf(facts: Partial<TrendFacts>, options: Partial<TrendOptions> = {}) {
  const { series } = trendOf(
    { openings: [], workloads: [], firstDay: dayOf("2026-01-01"), ...facts },
    { by: "day", byTeam: false, since: Date.parse("2026-11-01"), now: Date.parse("2026-11-04T12:00:00Z"), ...options },
  );
  return series;
}

describe("a trend", () => {
  it("counts what is open at the end of each period, what was found and fixed in it, and how long that took", () => {
    const openings = [
      opening("2026-10-20", "2026-11-02", { count: 2, duration: 26 * day }),
      opening("2026-11-02", "2026-11-02", { severity: "critical", duration: day / 2 }),
      opening("2026-11-03", null, { severity: "low", count: 3 }),
    ];
    const [series] = periodsOf({ openings });
    expect(series?.periods.map(({ from, open, opened, fixed }) => [from, open.high, open.low, opened, fixed])).toEqual([
      ["2026-11-01", 2, 0, 0, 0],
      ["2026-11-02", 0, 0, 1, 3],
      ["2026-11-03", 0, 3, 3, 0],
      ["2026-11-04", 0, 3, 0, 0],
    ]);
    expect(series?.periods.map(({ meanSecondsToFix }) => meanSecondsToFix)).toEqual([
      null,
      Math.round((26.5 * 86_400) / 3),
      null,
      null,
    ]);
  });

  it("has weeks from Monday, months by the calendar, and begins with the period of the first run", () => {
    const from = (options: Partial<TrendOptions>, firstDay = dayOf("2026-01-01")) =>
      periodsOf({ firstDay }, options)[0]?.periods.map((period) => period.from);
    const since = Date.parse("2026-10-14");
    expect(from({ by: "week", since })).toEqual(["2026-10-12", "2026-10-19", "2026-10-26", "2026-11-02"]);
    expect(from({ by: "month", since: Date.parse("2025-12-31") }, 0)?.slice(0, 3)).toEqual([
      "2025-12-01",
      "2026-01-01",
      "2026-02-01",
    ]);
    expect(from({ by: "day" }, dayOf("2026-11-03"))).toEqual(["2026-11-03", "2026-11-04"]);
    expect(from({ by: "month" }, dayOf("2026-11-03"))).toEqual(["2026-11-01"]);
  });

  it("scores what is open by the workloads that were counted last in each cluster", () => {
    const openings = [opening("2026-11-02", null, { severity: "critical", count: 5 })];
    const changes = [workloads("2026-11-01", 5), workloads("2026-11-03", 10, "us"), workloads("2026-11-04", 35)];
    const [series] = periodsOf({ openings, workloads: changes });
    expect(series?.periods.map(({ score }) => score)).toEqual([100, 50, 75, 90]);
    expect(periodsOf({ openings })[0]?.periods[3]?.score).toBeNull();
  });

  it("tells teams apart, and what is nobody's last", () => {
    const openings = [
      opening("2026-11-02", null, { team: "shop" }),
      opening("2026-11-02", null),
      opening("2026-11-03", null, { team: "data" }),
    ];
    const series = periodsOf({ openings, workloads: [workloads("2026-11-01", 1, "eu", "ops")] }, { byTeam: true });
    expect(series.map(({ team, periods }) => [team, periods.at(-1)?.open.high])).toEqual([
      ["data", 1],
      ["ops", 0],
      ["shop", 1],
      [null, 1],
    ]);
  });
});
