/** A file that was fixed, or would be, as it is printed. */
import type { FixedFile } from "../audit/index.ts";
import { type Io, paintFor } from "./io.ts";
import { passOn, printLine, printLines } from "./printing.ts";

/** Prints its diff or its name; of standard input, the new text. */
export async function showFixed(
  { file, diff, text, notes }: FixedFile,
  flags: { readonly diff?: boolean },
  io: Io,
): Promise<void> {
  const paint = paintFor(io.stdout, io);
  if (flags.diff) await passOn([coloured(diff, paint)], io);
  else if (file === "-") await passOn([text], io);
  else printLine("stdout", file, io);
  const lines = notes.map((note) => `${file}: ${note}`);
  printLines("stderr", lines, io);
}

function coloured(diff: string, paint: ReturnType<typeof paintFor>): string {
  return diff.replace(/^([-+@]).*$/gm, (line, mark: string) =>
    paint(mark === "+" ? "green" : mark === "-" ? "red" : "cyan", line),
  );
}
