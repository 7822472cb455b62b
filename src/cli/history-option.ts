/** Where the history of a fleet is: options, and opening it. */
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type FleetReport,
  type History,
  type HistoryPlace,
  type HistoryRun,
  historyPlace,
  usualHistoryPath,
  withHistory,
} from "../fleet/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Io } from "./io.ts";

export interface HistoryFlags {
  readonly history?: string;
}

export function historyOption(purpose: string): Option {
  return new Option(
    "--history <place>",
    `${purpose}: a file, or postgres://USER@HOST:PORT/NAME; with a password, use the environment variable, PGPASSWORD or ~/.pgpass`,
  ).env("PULLEY_HISTORY");
}

/** An age: `36h`, `7d`, `4w`. */
export function ageOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(readAge);
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Milliseconds. */
function readAge(text: string): number {
  const [, count = "", unit = ""] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const length = units[unit];
  if (length === undefined) throw new InvalidArgumentError("it must be a number of hours, days or weeks: 36h, 7d, 4w.");
  return Number(count) * length;
}

/** The place that was given, or the usual one. @throws PulleyError `USAGE` */
export function placeOf({ history }: HistoryFlags, command: Command, { environment }: Io): HistoryPlace {
  if (history === "") throw new PulleyError("USAGE", "--history names no place");
  return historyPlace(history ?? usualHistoryPath(environment), command.getOptionValueSource("history") === "cli");
}

export interface RecordFlags extends HistoryFlags {
  readonly record?: boolean;
  /** Milliseconds. */
  readonly keep: number;
  /** Milliseconds since the epoch: when it was so. */
  readonly at?: number;
}

/** For commands that find something: whether, and where, it is recorded. */
export function recordOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--record",
        "Record the run in the usual history, pulley/history.db in the user's state directory",
      ).helpGroup("History:"),
    )
    .addOption(historyOption("Record the run in this history").helpGroup("History:"))
    .addOption(
      ageOption("--keep <age>", "How long the history keeps what was fixed: 400d, 52w")
        .default(400 * 86_400_000, "400d")
        .helpGroup("History:"),
    );
}

/** Where the run is recorded; `undefined`: it is not to be. @throws PulleyError `USAGE` */
export function placeToRecord(flags: RecordFlags, command: Command, io: Io): HistoryPlace | undefined {
  const { record = false, history, at } = flags;
  if (!record && history === undefined) return undefined;
  if (at === undefined || at <= Date.now()) return placeOf(flags, command, io);
  throw new PulleyError("USAGE", "what will be found later cannot be recorded", {
    advice: "Leave out --at, or --history.",
  });
}

/** Opens the history, has something done with it, and closes it. Throws as `openHistory`, and what `use` throws. */
async function withOpenHistory<T>(place: HistoryPlace, use: (history: History) => Promise<T>): Promise<T> {
  const { openHistory } = await import("../fleet/history/open.ts");
  const history = await openHistory(place);
  try {
    return await use(history);
  } finally {
    await history.close();
  }
}

/**
 * The run's report with what its history knows. To read clusters takes long, so it is there also where it could not be
 * recorded: then the failure is beside it.
 */
export async function recordIn(
  place: HistoryPlace,
  run: HistoryRun,
): Promise<{ readonly report: FleetReport; readonly failure?: PulleyError }> {
  const { report } = run;
  try {
    return { report: withHistory(report, await withOpenHistory(place, (history) => history.record(run))) };
  } catch (failure) {
    if (isPulleyError(failure)) return { report, failure };
    throw failure;
  }
}

/** As {@link withOpenHistory}, where there is one already: to read makes none. @throws PulleyError `INPUT_UNREADABLE` */
export async function withKnownHistory<T>(place: HistoryPlace, use: (history: History) => Promise<T>): Promise<T> {
  if (place.kind === "file" && !existsSync(place.path)) {
    throw new PulleyError("INPUT_UNREADABLE", `there is no history at ${place.path}`, {
      advice: "Record one with pulley fleet report --record, or name its place with --history.",
    });
  }
  return await withOpenHistory(place, use);
}
