import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith, type Postgres, postgresTools, startPostgres } from "../../../test/tools.ts";
import { historyContract, item, noon, run } from "./contract.ts";
import { migrationsContract } from "./migrations/contract.ts";
import { openHistory } from "./open.ts";
import { historyPlace } from "./place.ts";

describeWith(postgresTools, "with a real PostgreSQL", () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  const open = (url: string) => openHistory(historyPlace(url, true));

  historyContract("a history in PostgreSQL", async () => {
    const url = await server.database();
    return () => open(url);
  });

  migrationsContract("migrations of PostgreSQL", async () => historyPlace(await server.database(), true));

  it("loses nothing that was recorded, and leaves no half run, where the connection is cut while it writes", async () => {
    const url = await server.database();
    const history = await open(url);
    await history.record(run({ at: noon, items: [item({ name: "a" })] }));
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    // It has written the items when it comes to the openings, and waits for this lock.
    await other.query("begin; lock table pulley_openings in access exclusive mode");
    const items = Array.from({ length: 300 }, (_, number) => item({ name: `n${number}` }));
    const writing = history.record(run({ at: noon + 1, items })).catch((error: unknown) => error);
    const backend = "select pid from pg_stat_activity where application_name = 'pulley' and wait_event_type = 'Lock'";
    await expect.poll(async () => (await other.query(backend)).rowCount).toBe(1);
    await other.query(`select pg_terminate_backend(pid) from (${backend}) as waiting`);
    expect(await writing).toMatchObject({
      code: "HISTORY_UNREACHABLE",
      message: expect.stringContaining(`the history in postgres://pulley@127.0.0.1:${server.port}/postgres:`),
    });
    await other.query("rollback");
    await other.end();
    expect(await history.items({})).toMatchObject([{ lastSeen: noon, fixedAt: null }]);
    expect((await history.record(run({ at: noon + 1, items }))).fixed).toHaveLength(1);
    expect(await history.items({ state: "open" })).toHaveLength(300);
    await history.close();
  });

  it("says what is wrong with the connection, and never the password", async () => {
    const at = `127.0.0.1:${server.port}`;
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        `postgres://pulley:sesame@${at}/none`,
        /the history in postgres:\/\/pulley@.*\/none: database "none" does not exist/,
      ],
      [`postgres://who:sesame@${at}/postgres`, /role "who" does not exist/],
      ["postgres://pulley:sesame@127.0.0.1:1/postgres", /the history in .*127\.0\.0\.1:1\/postgres: .*ECONNREFUSED/],
      [`postgres://pulley:sesame@${at}/postgres?sslmode=verify-full`, /does not support SSL/],
    ];
    for (const [url, message] of cases) {
      const failure = await openHistory(historyPlace(url, false)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "HISTORY_UNREACHABLE", message: expect.stringMatching(message) });
      expect(String(failure)).not.toContain("sesame");
    }
  });
});
