/** Cells of tables for other programs: what is in them is a stranger's, and stays a text. */
import { printable } from "./terminal.ts";

/** RFC 4180. A spreadsheet takes a cell that begins so for a formula. */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function markdownCell(text: string): string {
  return printable(text).replace(/[\\|<>`*_[\]]/g, "\\$&");
}

/** A table of texts that are nobody's to format. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map((row) => line(row.map(markdownCell)))];
}
