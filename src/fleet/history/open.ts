/** The door to the databases of histories, which is loaded only where one is asked for. */
import { type Clock, systemClock } from "../../support/clock.ts";
import type { History } from "./history.ts";
import { migrate } from "./migrations/migrate.ts";
import type { HistoryPlace } from "./place.ts";
import { readFacts, readItems } from "./read.ts";
import { recordRun } from "./record.ts";
import type { HistoryDatabase } from "./schema.ts";

/**
 * Opens a history, makes it where there is none, and brings it to the schema of this version.
 * @throws PulleyError `HISTORY_FAILED`, `HISTORY_UNREACHABLE`, `HISTORY_INVALID`, `OUTPUT_UNWRITABLE`
 */
export async function openHistory(place: HistoryPlace, clock: Clock = systemClock): Promise<History> {
  const database = await openDatabase(place, clock);
  /** A failure of the database says what it means, and nothing of its inside. */
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw database.explain(error);
    }
  };
  try {
    await told(migrate(database, place.shown, clock));
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    record: (run) => told(database.write((sql) => recordRun(sql, run))),
    items: (filter) => told(database.read((sql) => readItems(sql, filter))),
    facts: (question) => told(database.read((sql) => readFacts(sql, question))),
    close: () => database.close(),
  };
}

async function openDatabase(place: HistoryPlace, clock: Clock): Promise<HistoryDatabase> {
  switch (place.kind) {
    case "file": {
      const { openSqlite } = await import("./sqlite.ts");
      return await openSqlite(place.path, clock);
    }
    case "postgres": {
      const { openPostgres } = await import("./postgres.ts");
      return openPostgres(place.url, place.shown);
    }
  }
}
