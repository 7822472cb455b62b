import { humanDuration } from "../support/human-duration.ts";
import type { OutputFormat } from "./options.ts";
import type { Surroundings } from "./surroundings.ts";

/** Prints one value: as JSON or YAML, or as the lines that people read. */
export async function print(
  format: OutputFormat,
  value: unknown,
  lines: () => readonly string[],
  { stdout }: Surroundings,
): Promise<void> {
  switch (format) {
    case "json":
      stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      return;
    case "yaml": {
      const { stringify } = await import("yaml");
      stdout.write(stringify(value, { lineWidth: 0 }));
      return;
    }
    case "text": {
      const text = lines();
      if (text.length > 0) stdout.write(`${text.join("\n")}\n`);
    }
  }
}

/** Since when, as kubectl has it. */
export function age(since: number, now: number): string {
  return humanDuration(Math.max(0, now - since));
}
