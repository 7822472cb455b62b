/** A history in a file, which libsql reads and writes: SQLite, as a package with its program in it. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type Libsql from "libsql";
import type { Clock } from "../../support/clock.ts";
import { errnoOf, errorText, hasErrno, isPulleyError, PulleyError } from "../../support/errors.ts";
import { makeOwnFile } from "./own-file.ts";
import type { HistoryDatabase, Tables } from "./schema.ts";

/** The one that package.json names. */
const libsqlVersion = "0.5.29";
/** Milliseconds between two looks whether another program has done its writing. */
const pause = 20;
/** Milliseconds after which we give up. A run of 100,000 items takes a few seconds. */
const patience = 60_000;

/**
 * Opens the file, or makes it: readable for its user alone.
 * @throws PulleyError `HISTORY_FAILED`, `OUTPUT_UNWRITABLE`
 */
export async function openSqlite(path: string, clock: Clock): Promise<HistoryDatabase> {
  const Database = await loadLibsql();
  const file = makeOwnFile(path);
  const explain = (error: unknown) => explained(error, path);
  let database: Libsql.Database;
  try {
    // The limit is for the moment in which another program reads; who writes is waited for in `begin`.
    database = new Database(file, { timeout: 5_000 });
  } catch (error) {
    throw explain(error);
  }
  const driver = driverOf(database, clock, path);
  const kysely = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return {
    sql: kysely,
    write: (work) => kysely.transaction().execute(work),
    read: (work) => kysely.transaction().execute(work),
    async hasTable(on, name) {
      const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(on);
      return rows.length > 0;
    },
    async isForeign(on) {
      const { rows } = await sql`select 1 from sqlite_master limit 1`.execute(on);
      return rows.length > 0;
    },
    async close() {
      await kysely.destroy();
      database.close();
    },
    explain,
  };
}

/** An optional package, for it comes for some systems only. @throws PulleyError `HISTORY_FAILED` if it is not there */
async function loadLibsql(): Promise<typeof Libsql> {
  try {
    return (await import("libsql")).default;
  } catch (cause) {
    throw new PulleyError("HISTORY_FAILED", "a history in a file needs the package libsql, which is not installed", {
      cause,
      advice: `Install it beside Pulley, npm install libsql@${libsqlVersion}, or name a PostgreSQL database with --history; libsql comes for Linux, macOS and Windows.`,
    });
  }
}

function connectionOf(database: Libsql.Database): DatabaseConnection {
  return {
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    async executeQuery<Row>({ sql: text, parameters }: CompiledQuery) {
      const statement = database.prepare(text);
      if (!statement.reader) {
        const { changes } = statement.run([...parameters]);
        return { rows: [], numAffectedRows: BigInt(changes) };
      }
      // kysely has made the query, and the type of its rows.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return { rows: statement.all([...parameters]) as Row[] };
    },
    streamQuery() {
      throw new Error("a history is not read as a stream");
    },
  };
}

/** One connection, which its users take in turns. */
function driverOf(database: Libsql.Database, clock: Clock, path: string): Driver {
  const connection = connectionOf(database);
  let last: Promise<unknown> = Promise.resolve();
  let release = () => {};
  // A prepared statement that fails stays open, and then nothing can be committed.
  const run = (text: string) => database.exec(text);
  return {
    async init() {},
    async destroy() {},
    async acquireConnection() {
      const before = last;
      let done = () => {};
      last = new Promise<void>((resolve) => {
        done = resolve;
      });
      await before;
      release = done;
      return connection;
    },
    async releaseConnection() {
      release();
    },
    beginTransaction: () => begin(run, clock, path),
    async commitTransaction() {
      run("commit");
    },
    async rollbackTransaction() {
      run("rollback");
    },
  };
}

/**
 * Waits without holding the process up: who writes may be in this one. The lock is taken at once, for two that have begun
 * to read could not both go on to write.
 */
async function begin(run: (text: string) => void, clock: Clock, path: string): Promise<void> {
  for (let waited = 0; ; waited += pause) {
    run("pragma busy_timeout = 0");
    try {
      run("begin immediate");
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (waited >= patience) throw new PulleyError("HISTORY_FAILED", `another program is writing to ${path}`);
    } finally {
      run("pragma busy_timeout = 5000");
    }
    await clock.sleep(pause);
  }
}

function isBusy(error: unknown): boolean {
  return hasErrno(error, "SQLITE_BUSY");
}

function explained(cause: unknown, path: string): unknown {
  if (isPulleyError(cause)) return cause;
  const code = errnoOf(cause);
  if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT") {
    return new PulleyError("HISTORY_INVALID", `${path} is no history, or is damaged: ${errorText(cause)}`, { cause });
  }
  return new PulleyError("HISTORY_FAILED", `the history in ${path}: ${errorText(cause)}`, { cause });
}
