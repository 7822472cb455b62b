/** Brings a database to the schema of this version, step by step and never back. */
import type { Kysely, SchemaModule } from "kysely";
import type { Clock } from "../../../support/clock.ts";
import { PulleyError } from "../../../support/errors.ts";
import type { HistoryDatabase, Tables, Write } from "../schema.ts";
import { items } from "./001-items.ts";
import { workloads } from "./002-workloads.ts";

interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  apply(schema: SchemaModule): Promise<void>;
}

/** What has been released is never changed: a new step is added behind it. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "items", apply: items },
  { version: 2, name: "workloads", apply: workloads },
];

const table = "pulley_migrations";

/**
 * All steps that are missing in one transaction, so that a database is never between two schemas, and programs that open
 * it at once do not do the same step twice.
 * @param steps for tests, which begin with an earlier schema
 * @throws PulleyError `HISTORY_INVALID` if a newer version of Pulley has written it, or it is somebody else's
 */
export async function migrate(
  database: HistoryDatabase,
  place: string,
  clock: Clock,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const versionIn = (sql: Kysely<Tables>) => versionOf(sql, database, place, steps.length);
  if ((await versionIn(database.sql)) === steps.length) return;
  await database.write(async (sql) => {
    const version = await versionIn(sql);
    if (version === 0) await begin(database, place, sql);
    for (const step of steps.slice(version)) {
      await step.apply(sql.schema);
      const { version: number, name } = step;
      await sql.insertInto(table).values({ version: number, name, applied_at: clock.now() }).execute();
    }
  });
}

async function begin(database: HistoryDatabase, place: string, sql: Write): Promise<void> {
  if (await database.hasTable(sql, table)) return;
  if (await database.isForeign(sql)) {
    throw new PulleyError("HISTORY_INVALID", `${place} is a database of another program's`);
  }
  await sql.schema
    .createTable(table)
    .addColumn("version", "integer", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_at", "bigint", (column) => column.notNull())
    .execute();
}

/** 0 where nothing has been done. */
async function versionOf(
  sql: Kysely<Tables>,
  database: HistoryDatabase,
  place: string,
  latest: number,
): Promise<number> {
  if (!(await database.hasTable(sql, table))) return 0;
  const row = await sql
    .selectFrom(table)
    .select(({ fn }) => fn.max("version").as("version"))
    .executeTakeFirst();
  const version = row?.version ?? 0;
  if (version <= latest) return version;
  throw new PulleyError(
    "HISTORY_INVALID",
    `the history in ${place} was written by a newer version of Pulley: its schema is ${version}, and this version knows ${latest}`,
    { advice: "Use the newer version, or name another place with --history." },
  );
}
