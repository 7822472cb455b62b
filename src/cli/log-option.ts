/** The log of a command that runs for long, and who may ask for its metrics. */
import { type Command, Option } from "commander";
import { systemClock } from "../support/clock.ts";
import { type Log, type LogLevel, logLevels } from "../support/log.ts";
import { type LogFormat, openLog } from "../support/log-output.ts";
import { type Io, paintFor } from "./io.ts";
import { repeatedOption } from "./options.ts";

export interface LogFlags {
  readonly logFormat: LogFormat;
  readonly logLevel?: LogLevel;
  readonly quiet?: true;
  readonly verbose?: true;
}

export function logOptions(command: Command): Command {
  return command
    .addOption(new Option("--log-format <format>", "Log format").choices(["text", "json"]).default("text"))
    .addOption(
      new Option(
        "--log-level <level>",
        "Minimum level of log messages (default: info; error with --quiet, debug with -v)",
      ).choices([...logLevels]),
    );
}

/** On standard error. */
export function openCommandLog({ logFormat: format, logLevel, quiet, verbose }: LogFlags, io: Io): Log {
  const stream = io.errors ?? io.stderr;
  const level = logLevel ?? (quiet ? "error" : verbose ? "debug" : "info");
  return openLog({ format, level, stream, clock: systemClock, paint: paintFor(stream, io) });
}

export function metricsHostOption(): Option {
  return repeatedOption(
    "--metrics-host <name>",
    "Host name that requests for metrics may use, in addition to localhost and IP addresses; can be repeated",
  );
}
