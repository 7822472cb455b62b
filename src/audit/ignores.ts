/** Comments that leave findings out: `# pulley:ignore RULE[,RULE] REASON`, and `# pulley:ignore-file` at a file's head. */
import type { SourceText } from "../workload/source-text.ts";
import { isRuleId, type RuleId } from "./rules.ts";
import { regionOf } from "./spans.ts";
import type { Region } from "./types.ts";

/** One such comment. */
export interface Ignore {
  readonly region: Region;
  readonly rules: readonly RuleId[];
  /** Rules that it names, but that do not exist. */
  readonly unknown: readonly string[];
  /** Without one, the comment has no effect. */
  readonly reason: string;
  /** The lines for which it holds, counted from 1. */
  readonly from: number;
  readonly to: number;
}

/** Findings that say what could not be looked at, or that a comment is wrong, are not for comments to leave out. */
const steadfast: ReadonlySet<string> = new Set<RuleId>([
  "input-unreadable",
  "render-failed",
  "ignore-without-reason",
  "ignore-unused",
]);

const marker = "pulley:ignore";
const comment = /(?<=^|[ \t])#[ \t]*pulley:ignore(-file)?(?![\w-])[ \t]*([^\s]*)[ \t]*(.*?)[ \t]*$/;

/**
 * The comments of a text. One behind something holds for its line; one on a line of its own for the line below it; one
 * at the head of a document for the whole document; `ignore-file` for the whole file.
 */
export function readIgnores(source: SourceText): Ignore[] {
  if (!source.text.includes(marker)) return [];
  const lines = source.text.split("\n").map((line) => line.replace(/\r$/, ""));
  const ignores: Ignore[] = [];
  let offset = 0;
  let atHead = true;
  lines.forEach((line, index) => {
    const isMarker = /^(?:---|\.\.\.)(?:[ \t]|$)/.test(line);
    if (isMarker) atHead = true;
    const isOwnLine = /^\ufeff?[ \t]*#/.test(line);
    const found = line.includes(marker) ? comment.exec(line) : null;
    if (found !== null) {
      const span = { start: offset + found.index, end: offset + line.length };
      const [, wholeFile, rules = "", reason = ""] = found;
      const lasts = wholeFile === undefined ? reachOf(lines, index, isOwnLine, atHead) : { from: 1, to: lines.length };
      ignores.push({ region: regionOf(source, span), ...namesOf(rules), reason, ...lasts });
    }
    if (!isMarker && !isOwnLine && !/^\ufeff?[ \t]*$/.test(line)) atHead = false;
    offset = nextLine(source.text, offset);
  });
  return ignores;
}

/** Whether the comment leaves the finding out. */
export function covers(ignore: Ignore, rule: string, { line }: Region): boolean {
  if (ignore.reason === "" || steadfast.has(rule)) return false;
  return ignore.from <= line && line <= ignore.to && ignore.rules.some((own) => own === rule);
}

function reachOf(
  lines: readonly string[],
  index: number,
  isOwnLine: boolean,
  atHead: boolean,
): { from: number; to: number } {
  if (!isOwnLine) return { from: index + 1, to: index + 1 };
  if (atHead) return { from: index + 1, to: documentEnd(lines, index) };
  const below = lines.findIndex((line, at) => at > index && !/^[ \t]*(?:#|$)/.test(line));
  return { from: index + 1, to: below < 0 ? lines.length : below + 1 };
}

/** The last line of the document whose head the line belongs to. */
function documentEnd(lines: readonly string[], index: number): number {
  let begun = false;
  for (let at = index; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (/^(?:---|\.\.\.)(?:[ \t]|$)/.test(line)) {
      if (begun) return at;
    } else if (!/^[ \t]*(?:#|$)/.test(line)) {
      begun = true;
    }
  }
  return lines.length;
}

function namesOf(text: string): { rules: RuleId[]; unknown: string[] } {
  const names = text.split(",").filter((name) => name !== "");
  return { rules: names.filter(isRuleId), unknown: names.filter((name) => !isRuleId(name)).map(short) };
}

function short(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

function nextLine(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  return feed < 0 ? text.length : feed + 1;
}
