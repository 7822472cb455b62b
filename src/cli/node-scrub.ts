/** The options of `pulley node` for checking its store for damage. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { DaemonOptions } from "../daemon/index.ts";
import { parseQuantity } from "../support/quantity.ts";
import { readDuration } from "./kubelet-config-option.ts";

export interface ScrubFlags {
  readonly scrubEvery: number | "off";
  readonly scrubRate: number;
}

const day = 24 * 3600_000;

export function scrubOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--scrub-every <duration>",
        "Interval between checks of the whole store for damage, such as 12h or 7d; off: no checks",
      )
        .argParser(readInterval)
        .default(7 * day, "7d"),
    )
    .addOption(
      new Option("--scrub-rate <bytes>", "Read rate of the check in bytes per second, while nothing is pulled")
        .argParser(readRate)
        .default(10 * 1024 * 1024, "10Mi"),
    );
}

export function readScrub({ scrubEvery: every, scrubRate: rate }: ScrubFlags): DaemonOptions["scrub"] {
  return every === "off" ? undefined : { every, rate };
}

/** Durations as elsewhere, and also days, which Go does not have. */
function readInterval(text: string): number | "off" {
  if (text === "off") return "off";
  const [, days] = /^([0-9]{1,5})d$/.exec(text) ?? [];
  const milliseconds = days === undefined ? readDuration(text) : Number(days) * day;
  if (milliseconds >= 60_000) return milliseconds;
  throw new InvalidArgumentError("it must be a minute or more, such as 12h or 7d, or off");
}

function readRate(text: string): number {
  const quantity = parseQuantity(text);
  if ("value" in quantity && quantity.value >= 1024) return quantity.value;
  throw new InvalidArgumentError("it must be a number of bytes of at least 1Ki, such as 10Mi");
}
