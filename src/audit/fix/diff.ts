/** Unified diffs, as `git diff` prints them and `git apply` and `patch -p1` read them. */
import { quote } from "../../support/go.ts";
import type { Edit } from "../types.ts";
import { applyEdits } from "./edits.ts";

/** Lines of context around a change. */
const context = 3;

/** Lines that replace others. Each has its line break, which the last line of a file may lack. */
interface LineChange {
  /** Index of the first removed line, or of the line before which lines are added. */
  readonly at: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The diff of a text and its edits; empty where they change nothing. The edits are in the order of the text. */
export function unifiedDiff(file: string, text: string, edits: readonly Edit[]): string {
  const lines = linesOf(text);
  const changes = lineChanges(text, lines, edits);
  if (changes.length === 0) return "";
  const hunks: string[] = [];
  let grown = 0;
  for (const group of hunkGroups(changes)) {
    hunks.push(hunk(lines, group, grown));
    for (const { removed, added } of group) grown += added.length - removed.length;
  }
  return `--- ${name("a", file)}\n+++ ${name("b", file)}\n${hunks.join("")}`;
}

interface TouchedLines {
  readonly first: number;
  last: number;
  readonly edits: Edit[];
}

/** The edits as changes of whole lines, without lines that stay the same. */
function lineChanges(text: string, lines: readonly string[], edits: readonly Edit[]): LineChange[] {
  const starts: number[] = [];
  let length = 0;
  for (const line of lines) {
    starts.push(length);
    length += line.length;
  }
  return touchedLines(starts, edits)
    .map(({ first, last, edits: own }) => {
      const from = starts[first] ?? 0;
      const piece = text.slice(from, starts[last + 1] ?? length);
      const moved = own.map((edit) => ({ ...edit, start: edit.start - from, end: edit.end - from }));
      return trimmed({ at: first, removed: linesOf(piece), added: linesOf(applyEdits(piece, moved)) });
    })
    .filter(({ removed, added }) => removed.length + added.length > 0);
}

/** Groups edits by the lines that they touch. */
function touchedLines(starts: readonly number[], edits: readonly Edit[]): TouchedLines[] {
  const touched: TouchedLines[] = [];
  let line = 0;
  for (const edit of edits) {
    const before = touched.at(-1);
    line = lineAt(starts, edit.start, line);
    const last = lineAt(starts, edit.end, line);
    if (before === undefined || line > before.last) {
      touched.push({ first: line, last, edits: [edit] });
    } else {
      before.last = last;
      before.edits.push(edit);
    }
  }
  return touched;
}

/** The line of an offset, searched from the line `from` on. */
function lineAt(starts: readonly number[], offset: number, from: number): number {
  let line = from;
  while ((starts[line + 1] ?? Number.POSITIVE_INFINITY) <= offset) line += 1;
  return line;
}

function trimmed({ at, removed, added }: LineChange): LineChange {
  const shorter = Math.min(removed.length, added.length);
  let head = 0;
  while (head < shorter && removed[head] === added[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && removed.at(-1 - tail) === added.at(-1 - tail)) tail += 1;
  return {
    at: at + head,
    removed: removed.slice(head, removed.length - tail),
    added: added.slice(head, added.length - tail),
  };
}

/** Groups changes whose context overlaps. */
function hunkGroups(changes: readonly LineChange[]): LineChange[][] {
  const groups: LineChange[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    if (change.at - end <= 2 * context) groups.at(-1)?.push(change);
    else groups.push([change]);
    end = change.at + change.removed.length;
  }
  return groups;
}

/** `grown`: how many lines the hunks before have added. */
function hunk(lines: readonly string[], changes: readonly LineChange[], grown: number): string {
  const first = Math.max(0, (changes[0]?.at ?? 0) - context);
  const shown: string[] = [];
  let at = first;
  let more = 0;
  for (const change of changes) {
    shown.push(...lines.slice(at, change.at).map((line) => ` ${line}`));
    shown.push(...change.removed.map((line) => `-${line}`), ...change.added.map((line) => `+${line}`));
    at = change.at + change.removed.length;
    more += change.added.length - change.removed.length;
  }
  const end = Math.min(lines.length, at + context);
  shown.push(...lines.slice(at, end).map((line) => ` ${line}`));
  const header = `@@ -${range(first, end - first)} +${range(first + grown, end - first + more)} @@\n`;
  return header + shown.map(ended).join("");
}

function range(first: number, count: number): string {
  const start = count === 0 ? first : first + 1;
  return count === 1 ? `${start}` : `${start},${count}`;
}

function ended(line: string): string {
  return line.endsWith("\n") ? line : `${line}\n\\ No newline at end of file\n`;
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A tab ends a name with blanks, and a name with control characters is quoted, so that patch finds its end. */
function name(side: "a" | "b", file: string): string {
  const path = `${side}/${file.replace(/^\/+/, "").replace(/^(?:\.\/+)+/, "")}`;
  const quoted = quote(path);
  if (quoted !== `"${path}"`) return quoted;
  return path.includes(" ") ? `${path}\t` : path;
}
