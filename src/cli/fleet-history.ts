import { type Command, Option } from "commander";
import { historyCsv, historyDocument, historyLines, itemKinds } from "../fleet/index.ts";
import { ageOption, type HistoryFlags, historyOption, placeOf, withKnownHistory } from "./history-option.ts";
import { type CommandIo, viewOf } from "./io.ts";
import { examples, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { printLines } from "./printing.ts";

const outputs = ["text", "json", "yaml", "csv"] as const;

interface HistoryOptions extends HistoryFlags {
  readonly open?: boolean;
  readonly fixed?: boolean;
  /** Milliseconds. */
  readonly since?: number;
  readonly team?: string;
  readonly kind?: string;
  readonly cluster?: string;
  readonly output: (typeof outputs)[number];
  readonly all?: boolean;
}

export function defineHistory(command: Command, io: CommandIo): void {
  command
    .command("history")
    .description("Show what was found when, and when it was fixed.")
    .addOption(new Option("--open", "Only what is still there").conflicts("fixed"))
    .option("--fixed", "Only what is no longer there")
    .addOption(ageOption("--since <age>", "Only what was found or fixed in this time: 36h, 7d, 4w"))
    .option("--team <name>", "Only what is this team's")
    .addOption(new Option("--kind <kind>", "Only items of this kind").choices([...itemKinds]))
    .addOption(new Option("--cluster <name>", "Only what is in this cluster").helpGroup("Options:"))
    .addOption(historyOption("Where the history is (default: pulley/history.db in the user's state directory)"))
    .addOption(outputOption(outputs))
    .option("--all", "Show every item, however many there are")
    .addHelpText(
      "after",
      examples(
        ["pulley fleet history --open --team shop", "Show what a team has to do, and since when"],
        ["pulley fleet history --fixed --since 7d -o csv", "List what was fixed in a week"],
      ),
    )
    .action(io.withStatus((options: HistoryOptions, called: Command) => showHistory(options, called, io)));
}

async function showHistory(options: HistoryOptions, called: Command, io: CommandIo): Promise<number> {
  const { open, fixed, since, team, kind, cluster, output, all = false } = options;
  const now = Date.now();
  const state = open === true ? "open" : fixed === true ? "fixed" : undefined;
  const filter = { state, team, kind, cluster, since: since === undefined ? undefined : now - since } as const;
  const items = await withKnownHistory(placeOf(options, called, io), (history) => history.items(filter));
  if (output === "csv") printLines("stdout", historyCsv(items), io);
  else await print(output, historyDocument(items), () => historyLines(items, { ...viewOf(io), all, now }), io);
  return 0;
}
