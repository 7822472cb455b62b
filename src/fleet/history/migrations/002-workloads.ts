/** How many workloads there are, which scores need. */
import type { SchemaModule } from "kysely";

export async function workloads(schema: SchemaModule): Promise<void> {
  await schema
    .createTable("pulley_workloads")
    .addColumn("cluster", "text", (column) => column.notNull())
    .addColumn("team", "text", (column) => column.notNull())
    .addColumn("since", "bigint", (column) => column.notNull())
    .addColumn("workloads", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("pulley_workloads_key", ["cluster", "team", "since"])
    .execute();
}
