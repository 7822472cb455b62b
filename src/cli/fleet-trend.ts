import { type Command, Option } from "commander";
import { type PeriodName, periodNames, readTrend, trendCsv, trendLines } from "../fleet/index.ts";
import { ageOption, type HistoryFlags, historyOption, placeOf, withKnownHistory } from "./history-option.ts";
import { type CommandIo, viewOf } from "./io.ts";
import { examples, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { printLines } from "./printing.ts";

const outputs = ["text", "json", "yaml", "csv"] as const;

interface TrendCommandOptions extends HistoryFlags {
  readonly by: PeriodName;
  /** Milliseconds. */
  readonly since: number;
  readonly teams?: boolean;
  readonly output: (typeof outputs)[number];
}

export function defineTrend(command: Command, io: CommandIo): void {
  command
    .command("trend")
    .description("Show how many items were open, found and fixed over time, and how long fixing took.")
    .addOption(new Option("--by <period>", "Length of a period, in UTC").choices([...periodNames]).default("week"))
    .addOption(ageOption("--since <age>", "How far back: 36h, 7d, 12w").default(84 * 86_400_000, "12w"))
    .option("--teams", "Show each team for itself")
    .addOption(historyOption("Where the history is (default: pulley/history.db in the user's state directory)"))
    .addOption(outputOption(outputs))
    .addHelpText(
      "after",
      examples(
        ["pulley fleet trend", "Show twelve weeks"],
        ["pulley fleet trend --by month --since 52w --teams -o csv", "List the months of a year for each team"],
      ),
    )
    .action(io.withStatus((options: TrendCommandOptions, called: Command) => showTrend(options, called, io)));
}

async function showTrend(options: TrendCommandOptions, called: Command, io: CommandIo): Promise<number> {
  const { by, since, teams: byTeam = false, output } = options;
  const now = Date.now();
  const trend = await withKnownHistory(placeOf(options, called, io), (history) =>
    readTrend(history, { by, byTeam, since: now - since, now }),
  );
  if (output === "csv") printLines("stdout", trendCsv(trend), io);
  else await print(output, trend, () => trendLines(trend, viewOf(io)), io);
  return 0;
}
