/** How many items were open, found and fixed, day by day or in longer periods. Days, weeks (from Monday) and months are those of UTC. */
import { type Counts, type Severity, severities } from "../items/item.ts";
import { score } from "../score.ts";
import type { History, OpeningsOfDay, TrendFacts, WorkloadChange } from "./history.ts";

export const periodNames = ["day", "week", "month"] as const;

export type PeriodName = (typeof periodNames)[number];

/**
 * What `pulley fleet trend -o json` prints, described for other programs by schema/fleet-trend.json. Every field is always
 * there; one that does not apply is `null`.
 */
export interface Trend {
  readonly apiVersion: "pulley.dev/v1alpha1";
  readonly kind: "FleetTrend";
  readonly by: PeriodName;
  /** One for the whole fleet, whose team is `null`, or one for each team. */
  readonly series: readonly TrendSeries[];
}

export interface TrendSeries {
  /** `null`: the whole fleet; by team, what is nobody's */
  readonly team: string | null;
  /** The oldest first. */
  readonly periods: readonly TrendPeriod[];
}

export interface TrendPeriod {
  /** Its first day: `2026-11-23`. */
  readonly from: string;
  /** Open at its end, or now. */
  readonly open: Counts;
  /** Found anew in it. */
  readonly opened: number;
  readonly fixed: number;
  /** Of those that were fixed in it, from when they were found; `null`: none was. */
  readonly meanSecondsToFix: number | null;
  /** Of what is open, as score.ts says; `null` where no workload is known. */
  readonly score: number | null;
}

export interface TrendOptions {
  readonly by: PeriodName;
  readonly byTeam: boolean;
  /** Milliseconds since the epoch: the trend begins with its period, or with that of the first run. */
  readonly since: number;
  readonly now: number;
}

const day = 86_400_000;

/** Throws as {@link History} does. */
export async function readTrend(history: History, options: TrendOptions): Promise<Trend> {
  const { by, byTeam, since } = options;
  return trendOf(await history.facts({ since: beginOf(dayOf(since), by) * day, byTeam }), options);
}

export function trendOf(facts: TrendFacts, { by, byTeam, since, now }: TrendOptions): Trend {
  const { openings, workloads, firstDay } = facts;
  const first = Math.max(dayOf(since), firstDay ?? dayOf(now));
  const periods = periodsBetween(first, dayOf(now), by);
  const teams = byTeam ? teamNames(facts) : [null];
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetTrend",
    by,
    series: teams.map((team) => {
      const own = byTeam ? openings.filter((opening) => opening.team === team) : openings;
      const sizes = byTeam ? workloads.filter((change) => change.team === team) : workloads;
      return { team, periods: periods.map((period) => periodOf(period, own, sizes)) };
    }),
  };
}

/** By name, and what is nobody's last. */
function teamNames({ openings, workloads }: TrendFacts): readonly (string | null)[] {
  const names = new Set([...openings, ...workloads].map(({ team }) => team));
  const named = [...names].filter((name) => name !== null).toSorted();
  return names.has(null) ? [...named, null] : named;
}

/** Days since the epoch, both of them within. */
interface Period {
  readonly first: number;
  readonly last: number;
}

function periodsBetween(from: number, until: number, by: PeriodName): readonly Period[] {
  const periods: Period[] = [];
  for (let first = beginOf(from, by); first <= until; ) {
    const next = nextOf(first, by);
    periods.push({ first, last: next - 1 });
    first = next;
  }
  return periods;
}

function beginOf(at: number, by: PeriodName): number {
  switch (by) {
    case "day":
      return at;
    case "week":
      // The epoch was a Thursday.
      return at - ((at + 3) % 7);
    case "month":
      return at - (new Date(at * day).getUTCDate() - 1);
  }
}

function nextOf(first: number, by: PeriodName): number {
  if (by !== "month") return first + (by === "week" ? 7 : 1);
  const date = new Date(first * day);
  return dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1));
}

function periodOf(
  { first, last }: Period,
  openings: readonly OpeningsOfDay[],
  workloads: readonly WorkloadChange[],
): TrendPeriod {
  const within = (at: number | null) => at !== null && at >= first && at <= last;
  const closed = openings.filter(({ closed: end }) => within(end));
  const fixed = sum(closed, ({ count }) => count);
  const open = countsOf(openings.filter(({ opened, closed: end }) => opened <= last && (end === null || end > last)));
  return {
    from: new Date(first * day).toISOString().slice(0, 10),
    open,
    opened: sum(openings, ({ opened, count }) => (within(opened) ? count : 0)),
    fixed,
    meanSecondsToFix: fixed === 0 ? null : Math.round(sum(closed, ({ duration }) => duration) / fixed / 1000),
    score: score(open, workloadsAt(last, workloads)),
  };
}

function countsOf(openings: readonly OpeningsOfDay[]): Counts {
  const of = (wanted: Severity) => sum(openings, ({ severity, count }) => (severity === wanted ? count : 0));
  const [critical, high, medium, low] = severities.map(of);
  return { critical: critical ?? 0, high: high ?? 0, medium: medium ?? 0, low: low ?? 0 };
}

/** As they were last counted at the end of a day. */
function workloadsAt(last: number, changes: readonly WorkloadChange[]): number {
  const latest = new Map(
    changes
      .filter(({ day: at }) => at <= last)
      .map(({ cluster, team, workloads }) => [JSON.stringify([cluster, team]), workloads]),
  );
  return sum([...latest.values()], (count) => count);
}

function dayOf(time: number): number {
  return Math.floor(time / day);
}

function sum<Value>(list: readonly Value[], of: (value: Value) => number): number {
  return list.reduce((total, value) => total + of(value), 0);
}
