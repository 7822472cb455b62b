import { Option } from "commander";
import { PulleyError } from "../support/errors.ts";

interface RepeatedOption {
  /** What holds where it is not given, and how the help says it. */
  readonly usual?: { readonly values: readonly string[]; readonly words: string };
  /** What to make of each value; throws commander's `InvalidArgumentError` for one that is none. */
  readonly read?: (value: string) => string;
}

/**
 * An option with one value that may be given again: its values become a list. Options that take as many words as follow
 * (commander's `<value...>`) are not used, since they swallow the argument behind them.
 */
export function repeatedOption(flags: string, description: string, { usual, read }: RepeatedOption = {}): Option {
  const option = new Option(flags, description).argParser((given: string, before: readonly string[] | undefined) => {
    const value = read?.(given) ?? given;
    return before === undefined || before === usual?.values ? [value] : [...before, value];
  });
  return usual === undefined ? option : option.default(usual.values, usual.words);
}

/** `-f`, as kubectl has it. */
export interface FilenameFlags {
  readonly filename?: readonly string[];
}

/** Another way to name what the command's arguments name, for those whose fingers type kubectl's `-f`. */
export function filenameOption(): Option {
  return repeatedOption("-f, --filename <file>", "a file, a folder, or - to read, as an argument is; may be repeated");
}

/** What is named with `-f` and without. @throws PulleyError `USAGE` where nothing is */
export function namedFiles(words: readonly string[], { filename = [] }: FilenameFlags): readonly string[] {
  const named = [...words, ...filename];
  if (named.length > 0) return named;
  throw new PulleyError("USAGE", "no file and no image is named", {
    advice: "Name a manifest, a folder, - for standard input, or an image; --help shows how.",
  });
}
