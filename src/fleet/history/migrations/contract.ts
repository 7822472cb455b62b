/** What the migrations leave as it was, in a file as in PostgreSQL. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../support/clock.ts";
import { item, noon, run } from "../contract.ts";
import { openHistory } from "../open.ts";
import type { HistoryPlace } from "../place.ts";
import { openPostgres } from "../postgres.ts";
import type { HistoryDatabase } from "../schema.ts";
import { openSqlite } from "../sqlite.ts";
import { migrate, migrations } from "./migrate.ts";

/** @param fresh a new and empty place */
export function migrationsContract(title: string, fresh: () => Promise<HistoryPlace>): void {
  describe(title, () => {
    const databaseAt = async (place: HistoryPlace): Promise<HistoryDatabase> =>
      place.kind === "file" ? await openSqlite(place.path, systemClock) : openPostgres(place.url, place.shown);

    it("brings the first schema with data in it to this version, and nothing is lost", async () => {
      const place = await fresh();
      const database = await databaseAt(place);
      await migrate(database, place.shown, systemClock, migrations.slice(0, 1));
      const { id, title } = item({ name: "web" });
      await database.write(async (sql) => {
        await sql.insertInto("pulley_runs").values({ id: 1, at: noon, digest: "d" }).execute();
        await sql.insertInto("pulley_run_clusters").values({ run: 1, name: "eu", whole: 1 }).execute();
        const times = { first_seen: noon, last_seen: noon, opened_at: noon, fixed_at: null, openings: 1 };
        const row = { id, kind: "always-missing", severity: "medium", title, image: null, workloads: "[]", ...times };
        await sql.insertInto("pulley_items").values(row).execute();
        await sql.insertInto("pulley_item_clusters").values({ item: id, name: "eu" }).execute();
        await sql.insertInto("pulley_item_teams").values({ item: id, name: "shop" }).execute();
        const opening = { item: id, number: 1, opened: noon, closed: null, severity: "medium" };
        await sql.insertInto("pulley_openings").values(opening).execute();
      });
      await database.close();

      const [history, other] = await Promise.all([openHistory(place), openHistory(place)]);
      await other.close();
      expect(await history.items({ team: "shop" })).toMatchObject([{ id, title, firstSeen: noon, clusters: ["eu"] }]);
      const counts = [{ cluster: "eu", team: null, workloads: 3 }];
      expect((await history.record(run({ at: noon + 1, workloads: counts }))).fixed).toMatchObject([{ id }]);
      expect((await history.facts({ since: 0, byTeam: false })).workloads).toHaveLength(1);
      await history.close();

      const after = await databaseAt(place);
      const applied = await after.sql.selectFrom("pulley_migrations").select(["version", "name"]).execute();
      expect(applied).toEqual(migrations.map(({ version, name }) => ({ version, name })));
      await after.close();
    });

    it("refuses what a newer version has written, and leaves it as it is", async () => {
      const place = await fresh();
      const newer = { version: migrations.length + 1, name: "later", apply: async () => {} };
      const database = await databaseAt(place);
      await migrate(database, place.shown, systemClock, [...migrations, newer]);
      await expect(openHistory(place)).rejects.toMatchObject({
        code: "HISTORY_INVALID",
        message: expect.stringContaining(`its schema is ${newer.version}, and this version knows ${migrations.length}`),
      });
      expect(await database.sql.selectFrom("pulley_migrations").selectAll().execute()).toHaveLength(newer.version);
      await database.close();
    });

    it("leaves the schema that was there where a step fails", async () => {
      const place = await fresh();
      const database = await databaseAt(place);
      await migrate(database, place.shown, systemClock, migrations.slice(0, 1));
      const failing = {
        version: 2,
        name: "failing",
        async apply(schema: Parameters<(typeof migrations)[number]["apply"]>[0]) {
          await schema.createTable("pulley_half").addColumn("id", "integer").execute();
          throw new Error("it breaks here");
        },
      };
      const steps = [...migrations.slice(0, 1), failing];
      await expect(migrate(database, place.shown, systemClock, steps)).rejects.toThrow("it breaks here");
      expect(await database.hasTable(database.sql, "pulley_half")).toBe(false);
      expect(await database.sql.selectFrom("pulley_migrations").selectAll().execute()).toHaveLength(1);
      await database.close();
    });

    it("has numbered its steps without gaps", () => {
      expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, at) => at + 1));
    });
  });
}
