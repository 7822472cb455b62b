import { humanDuration } from "../support/format.ts";
import type { Io } from "./io.ts";
import type { OutputFormat } from "./options.ts";
import { jsonPieces, printLines, printPieces, printText, yamlText } from "./printing.ts";

/** Prints a value as JSON, as YAML, or as lines of text. */
export async function print(
  format: OutputFormat,
  value: unknown,
  lines: () => readonly string[],
  io: Io,
): Promise<void> {
  switch (format) {
    case "json":
      await printPieces(withEnd(jsonPieces(value)), io);
      return;
    case "yaml":
      printText("stdout", await yamlText(value), io);
      return;
    case "text":
      printLines("stdout", lines(), io);
  }
}

function* withEnd(pieces: Iterable<string>): Generator<string> {
  yield* pieces;
  yield "\n";
}

/** The time since then, as kubectl formats it. */
export function age(since: number, now: number): string {
  return humanDuration(Math.max(0, now - since));
}
