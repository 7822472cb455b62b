/** `--kubelet-config`: the configuration file of the kubelet, for commands that act like one. */
import { InvalidArgumentError, Option } from "commander";
import {
  type GivenConfiguration,
  type KubeletConfiguration,
  kubeletConfiguration,
  readKubeletConfiguration,
} from "../kubelet-config/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { parseGoDuration } from "../support/go.ts";
import { readInputFile } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";

export interface KubeletConfigOptions {
  readonly kubeletConfig?: string;
}

export function kubeletConfigOption(): Option {
  return new Option(
    "--kubelet-config <file>",
    "KubeletConfiguration file to read image settings from; flags override it",
  );
}

/**
 * The effective configuration: flags take precedence over the file, and the file over the defaults.
 * @throws PulleyError `INPUT_INVALID`, after every problem was printed with its place; `INPUT_UNREADABLE`, `USAGE`
 */
export function loadKubeletConfiguration(
  { kubeletConfig: file }: KubeletConfigOptions,
  flags: GivenConfiguration,
  io: Io,
): KubeletConfiguration {
  if (file === undefined) return kubeletConfiguration(flags);
  const { configuration, problems, warnings } = readKubeletConfiguration(readInputFile(file).text, file, flags);
  printProblems({ problems, warnings }, io);
  if (problems.length === 0) return configuration;
  throw new PulleyError("INPUT_INVALID", `the kubelet configuration ${file} has ${plural(problems.length, "problem")}`);
}

/** Parses a duration into milliseconds, in the format of the file. */
export function readDuration(text: string): number {
  const duration = parseGoDuration(text);
  if ("milliseconds" in duration) return duration.milliseconds;
  throw new InvalidArgumentError(`${duration.problem}; use a duration such as 90s, 10m or 1h30m`);
}

/** Parses a whole number. */
export function readInteger(text: string): number {
  if (/^-?[0-9]{1,9}$/.test(text.trim())) return Number(text);
  throw new InvalidArgumentError("it is not a whole number");
}
