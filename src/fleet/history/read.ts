/** What the history answers. */
import { sql as text } from "kysely";
import { z } from "zod";
import { bySeverity, severities } from "../items/item.ts";
import type { FactsQuestion, HistoryFilter, HistoryItem, TrendFacts } from "./history.ts";
import { itemsOf } from "./rows.ts";
import type { Write } from "./schema.ts";

const day = 86_400_000;
const severity = z.enum(severities);

export async function readItems(sql: Write, filter: HistoryFilter): Promise<readonly HistoryItem[]> {
  const { state, since, team, kind, cluster } = filter;
  const within = (table: "pulley_item_teams" | "pulley_item_clusters", name: string) =>
    sql.selectFrom(table).select("item").where("name", "=", name);
  let query = sql.selectFrom("pulley_items").selectAll();
  if (state !== undefined) query = query.where("fixed_at", state === "open" ? "is" : "is not", null);
  if (kind !== undefined) query = query.where("kind", "=", kind);
  if (since !== undefined)
    query = query.where((on) => on.or([on("opened_at", ">=", since), on("fixed_at", ">=", since)]));
  if (team !== undefined) query = query.where("id", "in", within("pulley_item_teams", team));
  if (cluster !== undefined) query = query.where("id", "in", within("pulley_item_clusters", cluster));
  const items = await itemsOf(sql, await query.execute());
  return items.toSorted(openFirst);
}

function openFirst(one: HistoryItem, other: HistoryItem): number {
  const open = Number(one.fixedAt !== null) - Number(other.fixedAt !== null);
  if (open !== 0) return open;
  const end = (other.fixedAt ?? 0) - (one.fixedAt ?? 0);
  if (end !== 0) return end;
  const by = bySeverity(one, other);
  if (by !== 0) return by;
  return one.firstSeen - other.firstSeen || (one.title < other.title ? -1 : 1);
}

export async function readFacts(sql: Write, { since, byTeam }: FactsQuestion): Promise<TrendFacts> {
  const first = Math.floor(since / day) * day;
  const team = byTeam ? text<string | null>`teams.name` : text<string | null>`null`;
  const joined = byTeam ? text`left join pulley_item_teams as teams on teams.item = openings.item` : text``;
  // Whole numbers are divided to whole numbers, in both databases.
  const { rows } = await text<OpeningsRow>`
    select openings.opened / ${text.lit(day)} as opened_day, openings.closed / ${text.lit(day)} as closed_day,
      openings.severity as severity, ${team} as team, count(*) as number,
      sum(case when openings.closed is null then 0 else openings.closed - openings.opened end) as duration
    from pulley_openings as openings ${joined}
    where openings.closed is null or openings.closed >= ${first}
    group by 1, 2, 3, 4`.execute(sql);
  const workloads = await sql.selectFrom("pulley_workloads").selectAll().orderBy("since").orderBy("team").execute();
  const run = await sql
    .selectFrom("pulley_runs")
    .select(({ fn }) => fn.min("at").as("at"))
    .executeTakeFirst();
  const at = run?.at ?? null;
  return {
    openings: rows.map((row) => ({
      opened: row.opened_day,
      closed: row.closed_day,
      severity: severity.parse(row.severity),
      team: row.team,
      count: row.number,
      duration: row.duration,
    })),
    workloads: workloads.map((row) => ({
      cluster: row.cluster,
      team: row.team === "" ? null : row.team,
      workloads: row.workloads,
      day: Math.floor(row.since / day),
    })),
    firstDay: at === null ? null : Math.floor(at / day),
  };
}

interface OpeningsRow {
  readonly opened_day: number;
  readonly closed_day: number | null;
  readonly severity: string;
  readonly team: string | null;
  readonly number: number;
  readonly duration: number;
}
