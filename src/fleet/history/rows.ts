/** Items as rows of tables, and back. */
import { z } from "zod";
import { severities } from "../items/item.ts";
import type { HistoryItem } from "./history.ts";
import type { ItemsTable, Write } from "./schema.ts";

/** Values in one statement: SQLite takes 32,766, PostgreSQL 65,535. */
const mostValues = 20_000;

/** Parts of a list that are small enough for one statement. @param width values of each */
export function* parts<Value>(list: readonly Value[], width = 1): Generator<readonly Value[]> {
  const size = Math.floor(mostValues / width);
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

const workloads = z.array(z.object({ cluster: z.string(), kind: z.string(), namespace: z.string(), name: z.string() }));
const severity = z.enum(severities);

export function rowOf(item: HistoryItem): ItemsTable {
  return {
    id: item.id,
    kind: item.kind,
    severity: item.severity,
    title: item.title,
    image: item.image,
    workloads: JSON.stringify(item.workloads),
    first_seen: item.firstSeen,
    last_seen: item.lastSeen,
    opened_at: item.openedAt,
    fixed_at: item.fixedAt,
    openings: item.openings,
  };
}

/** The items of some rows, in their order. @param ids the same rows, as a query for their ids */
export async function itemsOf(sql: Write, rows: readonly ItemsTable[]): Promise<readonly HistoryItem[]> {
  const ids = rows.map(({ id }) => id);
  const [clusters, teams] = [
    await namesOf(sql, "pulley_item_clusters", ids),
    await namesOf(sql, "pulley_item_teams", ids),
  ];
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    severity: severity.parse(row.severity),
    title: row.title,
    image: row.image,
    clusters: clusters.get(row.id) ?? [],
    workloads: workloads.parse(JSON.parse(row.workloads)),
    teams: teams.get(row.id) ?? [],
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    openedAt: row.opened_at,
    fixedAt: row.fixed_at,
    openings: row.openings,
  }));
}

async function namesOf(
  sql: Write,
  table: "pulley_item_clusters" | "pulley_item_teams",
  ids: readonly string[],
): Promise<ReadonlyMap<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const part of parts(ids)) {
    for (const { item, name } of await sql.selectFrom(table).selectAll().where("item", "in", part).execute()) {
      names.set(item, [...(names.get(item) ?? []), name].toSorted());
    }
  }
  return names;
}
