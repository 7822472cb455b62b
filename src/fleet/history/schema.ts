/** The tables, as the migrations leave them. Numbers are whole; times are milliseconds since the epoch. */
import type { Kysely, Transaction } from "kysely";

export interface Tables {
  readonly pulley_runs: RunsTable;
  readonly pulley_run_clusters: RunClustersTable;
  readonly pulley_items: ItemsTable;
  readonly pulley_item_clusters: ItemNamesTable;
  readonly pulley_item_teams: ItemNamesTable;
  readonly pulley_openings: OpeningsTable;
  readonly pulley_workloads: WorkloadsTable;
  readonly pulley_migrations: MigrationsTable;
}

interface RunsTable {
  readonly id: number;
  readonly at: number;
  /** Of what was found, so that the same run is not there twice. */
  readonly digest: string;
}

interface RunClustersTable {
  readonly run: number;
  readonly name: string;
  /** 1 if all of it was read, else 0. */
  readonly whole: number;
}

export interface ItemsTable {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly title: string;
  readonly image: string | null;
  /** JSON: a list of workloads. */
  readonly workloads: string;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly opened_at: number;
  readonly fixed_at: number | null;
  readonly openings: number;
}

interface ItemNamesTable {
  readonly item: string;
  readonly name: string;
}

interface OpeningsTable {
  readonly item: string;
  /** From 1 for each item. */
  readonly number: number;
  readonly opened: number;
  readonly closed: number | null;
  readonly severity: string;
}

/** Rows are there only where a number has changed. */
interface WorkloadsTable {
  readonly cluster: string;
  /** Empty: nobody's. */
  readonly team: string;
  readonly since: number;
  readonly workloads: number;
}

interface MigrationsTable {
  readonly version: number;
  readonly name: string;
  readonly applied_at: number;
}

export type Write = Transaction<Tables>;

/** A database, by what the two kinds differ in. Everything else is the same SQL. */
export interface HistoryDatabase {
  readonly sql: Kysely<Tables>;
  /** Runs alone among all that write: nobody else's work begins until it is done or undone. */
  write<T>(work: (sql: Write) => Promise<T>): Promise<T>;
  /** Sees one state, whatever is written meanwhile. */
  read<T>(work: (sql: Write) => Promise<T>): Promise<T>;
  hasTable(sql: Kysely<Tables>, name: string): Promise<boolean>;
  /** Whether it holds something that is not ours, and would be mixed with it. */
  isForeign(sql: Kysely<Tables>): Promise<boolean>;
  close(): Promise<void>;
  /** What a failure of the database means to a person. */
  explain(error: unknown): unknown;
}
