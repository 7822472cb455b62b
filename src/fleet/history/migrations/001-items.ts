/** The first schema: runs, items, and when each item was there. */
import type { SchemaModule } from "kysely";

export async function items(schema: SchemaModule): Promise<void> {
  await schema
    .createTable("pulley_runs")
    .addColumn("id", "bigint", (column) => column.primaryKey())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull())
    .addUniqueConstraint("pulley_runs_once", ["at", "digest"])
    .execute();
  await schema
    .createTable("pulley_run_clusters")
    .addColumn("run", "bigint", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("whole", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("pulley_run_clusters_key", ["run", "name"])
    .execute();
  await schema
    .createTable("pulley_items")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("severity", "text", (column) => column.notNull())
    .addColumn("title", "text", (column) => column.notNull())
    .addColumn("image", "text")
    .addColumn("workloads", "text", (column) => column.notNull())
    .addColumn("first_seen", "bigint", (column) => column.notNull())
    .addColumn("last_seen", "bigint", (column) => column.notNull())
    .addColumn("opened_at", "bigint", (column) => column.notNull())
    .addColumn("fixed_at", "bigint")
    .addColumn("openings", "integer", (column) => column.notNull())
    .execute();
  await schema.createIndex("pulley_items_by_end").on("pulley_items").column("fixed_at").execute();
  for (const table of ["pulley_item_clusters", "pulley_item_teams"]) {
    await schema
      .createTable(table)
      .addColumn("item", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint(`${table}_key`, ["item", "name"])
      .execute();
  }
  await schema
    .createTable("pulley_openings")
    .addColumn("item", "text", (column) => column.notNull())
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("opened", "bigint", (column) => column.notNull())
    .addColumn("closed", "bigint")
    .addColumn("severity", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("pulley_openings_key", ["item", "number"])
    .execute();
  await schema.createIndex("pulley_openings_by_end").on("pulley_openings").column("closed").execute();
}
