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

/** Since when, in kubectl's short form: `5s`, `3m`, `2h`, `12d`. */
export function age(since: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
