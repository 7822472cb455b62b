import { errorTable } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import type { Problem } from "../workload/index.ts";
import { type Io, paintFor } from "./io.ts";
import { printLine } from "./printing.ts";

/** Prints the problems of the input, with their places, on standard error. */
export function printProblems(
  { problems, warnings = [] }: { problems: readonly Problem[]; warnings?: readonly Problem[] },
  io: Io,
): void {
  const paint = paintFor(io.errors ?? io.stderr, io);
  const write = (target: "stderr" | "errors", word: string, { source, message }: Problem) =>
    printLine(target, `${printable(source.file)}:${source.line}:${source.column}: ${word} ${printable(message)}`, io);
  for (const warning of warnings) write("stderr", paint("yellow", "warning:"), warning);
  for (const problem of problems) write("errors", paint("red", "error:"), problem);
}

/** The exit status of a command with problems in its input. */
export const inputInvalid = errorTable.INPUT_INVALID.exit;
