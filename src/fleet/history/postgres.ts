/** A history in PostgreSQL, for those who outgrow one machine. */
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import type { HistoryDatabase, Tables } from "./schema.ts";

/** Milliseconds until PostgreSQL must have taken the connection. */
const connectTimeout = 10_000;
/** Milliseconds that one statement may take, waiting for another run included. */
const statementTimeout = 120_000;
/** `bigint` and `numeric`, which come as texts: what we have fits into a number. */
const numbers: ReadonlySet<number> = new Set([20, 1700]);
/** The lock that whoever writes holds: a number that nobody else in the database should use. */
const lockKey = 5_072_019_283;

/**
 * @param url `postgres://user@host:port/database?sslmode=verify-full`; what it leaves out, `PGHOST`, `PGUSER`,
 *   `PGPASSWORD` and the password file say, as for every program of PostgreSQL
 * @param shown the same without secrets
 */
export function openPostgres(url: string, shown: string): HistoryDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: connectTimeout,
    statement_timeout: statementTimeout,
    idle_in_transaction_session_timeout: statementTimeout,
    application_name: "pulley",
    types: {
      getTypeParser: (oid, format) => (numbers.has(oid) ? Number : pg.types.getTypeParser(oid, format)),
    },
  });
  // A connection that is lost: the question that is under way, or the next one, says so.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    sql: kysely,
    write: (work) =>
      kysely.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${lockKey})`.execute(transaction);
        return await work(transaction);
      }),
    read: (work) => kysely.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(work),
    async hasTable(on, name) {
      const { rows } = await sql`select 1 from pg_class where oid = to_regclass(${name})`.execute(on);
      return rows.length > 0;
    },
    // A database of PostgreSQL may be shared: our tables have names of their own.
    isForeign: async () => false,
    close: () => kysely.destroy(),
    explain: (error) => explained(error, shown),
  };
}

function explained(cause: unknown, shown: string): unknown {
  if (isPulleyError(cause)) return cause;
  const text = textOf(cause);
  // PostgreSQL Appendix A: 08 connection, 28 login, 3D no such database, 57P administrator's end, 53 too many.
  const state = cause instanceof pg.DatabaseError ? cause.code : undefined;
  const isReached = state !== undefined && !/^(?:08|28|3D|57P|53)/.test(state);
  return new PulleyError(isReached ? "HISTORY_FAILED" : "HISTORY_UNREACHABLE", `the history in ${shown}: ${text}`, {
    cause,
  });
}

/** What happened at each address of a host, where it has several. */
function textOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(errorText).join("; ") : errorText(error);
}
