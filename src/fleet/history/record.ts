/** One run, written in one transaction. */
import { createHash } from "node:crypto";
import { sql as text } from "kysely";
import { bySeverity, severities } from "../items/item.ts";
import { type Changes, changesOf } from "./changes.ts";
import type { HistoryItem, HistoryRun, Recorded } from "./history.ts";
import { itemsOf, parts, rowOf } from "./rows.ts";
import type { ItemsTable, Write } from "./schema.ts";

export async function recordRun(sql: Write, run: HistoryRun): Promise<Recorded> {
  const known = await knownItems(sql, run);
  const changes = changesOf(run, known);
  await writeRun(sql, run);
  await writeItems(sql, run, changes);
  await writeOpenings(sql, run, changes);
  await writeWorkloads(sql, run);
  await forget(sql, run.at - run.keep);
  const firstSeen = new Map(run.report.items.map(({ id }) => [id, known.get(id)?.firstSeen ?? run.at]));
  return { firstSeen, fixed: changes.fixed.toSorted(worstFirst) };
}

function worstFirst(one: HistoryItem, other: HistoryItem): number {
  const by = bySeverity(one, other);
  return by !== 0 ? by : one.title < other.title ? -1 : 1;
}

/** Those that are open, and those of the report that were fixed. */
async function knownItems(sql: Write, { report }: HistoryRun): Promise<ReadonlyMap<string, HistoryItem>> {
  const open = await sql.selectFrom("pulley_items").selectAll().where("fixed_at", "is", null).execute();
  const isOpen = new Set(open.map(({ id }) => id));
  const others = report.items.map(({ id }) => id).filter((id) => !isOpen.has(id));
  const fixed: ItemsTable[] = [];
  for (const part of parts(others)) {
    fixed.push(...(await sql.selectFrom("pulley_items").selectAll().where("id", "in", part).execute()));
  }
  const items = await itemsOf(sql, [...open, ...fixed]);
  return new Map(items.map((item) => [item.id, item]));
}

async function writeRun(sql: Write, { report, at }: HistoryRun): Promise<void> {
  const clusters = report.clusters.map(({ name, complete }) => ({ name, whole: complete ? 1 : 0 }));
  const found = JSON.stringify([clusters, report.items.map(({ id }) => id)]);
  const digest = createHash("sha256").update(found).digest("hex");
  const row = await sql
    .selectFrom("pulley_runs")
    .select(({ fn }) => fn.max("id").as("id"))
    .executeTakeFirst();
  const id = (row?.id ?? 0) + 1;
  const written = await sql
    .insertInto("pulley_runs")
    .values({ id, at, digest })
    .onConflict((conflict) => conflict.columns(["at", "digest"]).doNothing())
    .executeTakeFirst();
  if (written.numInsertedOrUpdatedRows === 0n) return;
  for (const part of parts(clusters, 3)) {
    await sql
      .insertInto("pulley_run_clusters")
      .values(part.map((cluster) => ({ run: id, ...cluster })))
      .execute();
  }
}

async function writeItems(sql: Write, { at }: HistoryRun, { written, seen, fixed }: Changes): Promise<void> {
  for (const part of parts(seen)) {
    await sql.updateTable("pulley_items").set({ last_seen: at }).where("id", "in", part).execute();
  }
  for (const part of parts(fixed.map(({ id }) => id))) {
    await sql.updateTable("pulley_items").set({ fixed_at: at }).where("id", "in", part).execute();
  }
  for (const part of parts(written.map(rowOf), 11)) {
    const ids = part.map(({ id }) => id);
    await sql.deleteFrom("pulley_item_clusters").where("item", "in", ids).execute();
    await sql.deleteFrom("pulley_item_teams").where("item", "in", ids).execute();
    await sql.deleteFrom("pulley_items").where("id", "in", ids).execute();
    await sql.insertInto("pulley_items").values(part).execute();
  }
  const namesOf = (key: "clusters" | "teams") =>
    written.flatMap((item) => item[key].map((name) => ({ item: item.id, name })));
  for (const part of parts(namesOf("clusters"), 2)) await sql.insertInto("pulley_item_clusters").values(part).execute();
  for (const part of parts(namesOf("teams"), 2)) await sql.insertInto("pulley_item_teams").values(part).execute();
}

async function writeOpenings(sql: Write, { at }: HistoryRun, { written, opened, fixed }: Changes): Promise<void> {
  for (const part of parts(fixed.map(({ id }) => id))) {
    await sql
      .updateTable("pulley_openings")
      .set({ closed: at })
      .where("closed", "is", null)
      .where("item", "in", part)
      .execute();
  }
  const rows = opened.map(({ id, openings, severity }) => ({
    item: id,
    number: openings,
    opened: at,
    closed: null,
    severity,
  }));
  for (const part of parts(rows, 5)) await sql.insertInto("pulley_openings").values(part).execute();
  for (const severity of severities) {
    const ids = written.filter((item) => item.severity === severity).map(({ id }) => id);
    for (const part of parts(ids)) {
      await sql
        .updateTable("pulley_openings")
        .set({ severity })
        .where("closed", "is", null)
        .where("severity", "!=", severity)
        .where("item", "in", part)
        .execute();
    }
  }
}

/** The numbers of clusters that were read whole, where they have changed. */
async function writeWorkloads(sql: Write, { report, namespaces, workloads, at }: HistoryRun): Promise<void> {
  if (namespaces.length > 0) return;
  for (const { name: cluster, complete } of report.clusters) {
    if (!complete) continue;
    const rows = await sql
      .selectFrom("pulley_workloads")
      .selectAll()
      .where("cluster", "=", cluster)
      .orderBy("since")
      .execute();
    if (rows.some(({ since }) => since >= at)) continue;
    const before = new Map(rows.map((row) => [row.team, row.workloads]));
    const own = workloads.filter((count) => count.cluster === cluster);
    const now = new Map(own.map((count) => [count.team ?? "", count.workloads]));
    const changed = [...new Set([...before.keys(), ...now.keys()])]
      .map((team) => ({ cluster, team, since: at, workloads: now.get(team) ?? 0 }))
      .filter((row) => before.get(row.team) !== row.workloads);
    if (changed.length > 0) await sql.insertInto("pulley_workloads").values(changed).execute();
  }
}

/** What was over before then. What is open stays, however old it is. */
async function forget(sql: Write, before: number): Promise<void> {
  const over = sql.selectFrom("pulley_items").select("id").where("fixed_at", "<", before);
  await sql.deleteFrom("pulley_item_clusters").where("item", "in", over).execute();
  await sql.deleteFrom("pulley_item_teams").where("item", "in", over).execute();
  await sql.deleteFrom("pulley_items").where("fixed_at", "<", before).execute();
  await sql.deleteFrom("pulley_openings").where("closed", "<", before).execute();
  const runs = sql.selectFrom("pulley_runs").select("id").where("at", "<", before);
  await sql.deleteFrom("pulley_run_clusters").where("run", "in", runs).execute();
  await sql.deleteFrom("pulley_runs").where("at", "<", before).execute();
  await sql
    .deleteFrom("pulley_workloads")
    .where("since", "<", before)
    .where(
      text<boolean>`exists (select 1 from pulley_workloads as later where later.cluster = pulley_workloads.cluster
        and later.team = pulley_workloads.team and later.since > pulley_workloads.since and later.since < ${before})`,
    )
    .execute();
}
