/**
 * Comments that suppress findings: `# pulley:ignore RULE[,RULE] REASON`, and `# pulley:ignore-file` for a whole file.
 */
import type { SourceText } from "../workload/index.ts";
import type { AuditConfig } from "./config.ts";
import { findingOf } from "./finding.ts";
import type { Fingerprints } from "./fingerprint.ts";
import { isRuleId, type RuleId, ruleOf } from "./rules/index.ts";
import { ignoreUnused, ignoreWithoutReason, inputUnreadable, renderFailed } from "./rules/input.ts";
import { regionOf } from "./spans.ts";
import type { Finding, Region } from "./types.ts";

/** The ignore comments of one text. It remembers which of them matched a finding. */
export class IgnoreComments {
  readonly #ignores: readonly Ignore[];
  readonly #used = new Map<Ignore, Set<string>>();

  constructor(ignores: readonly Ignore[]) {
    this.#ignores = ignores;
  }

  /** Whether no comment suppresses the finding. Marks each comment that does as used. */
  isReported({ ruleId, region }: Finding): boolean {
    const covering = this.#ignores.filter((ignore) => covers(ignore, ruleId, region));
    for (const ignore of covering) {
      const rules = this.#used.get(ignore) ?? new Set();
      this.#used.set(ignore, rules.add(ruleId));
    }
    return covering.length === 0;
  }

  /** Findings about the comments themselves. Called after all findings of the text. */
  findings(config: AuditConfig, fingerprints: Fingerprints): readonly Finding[] {
    return this.#ignores.flatMap((ignore) => {
      const { region, rules, unknown, reason } = ignore;
      if (reason === "") {
        const message = "the comment says what to ignore, but not why, so it has no effect";
        return findingOf(ignoreWithoutReason, { region, message }, config, fingerprints);
      }
      const used = this.#used.get(ignore);
      const idle = rules.filter((rule) => isOn(rule, config) && used?.has(rule) !== true);
      const messages = [
        ...unknown.map((name) => `there is no rule ${name}`),
        ...idle.map((rule) => `there is no finding ${rule} here`),
      ];
      return messages.flatMap((message) => findingOf(ignoreUnused, { region, message }, config, fingerprints));
    });
  }
}

/** A rule that is off has no findings; its comments may be needed under another profile. */
function isOn(id: string, { severityOf }: AuditConfig): boolean {
  const rule = ruleOf(id);
  return rule !== undefined && severityOf(rule) !== "off";
}

/** One ignore comment. */
export interface Ignore {
  readonly region: Region;
  readonly rules: readonly RuleId[];
  /** Names of rules that do not exist. */
  readonly unknown: readonly string[];
  /** Without one, the comment has no effect. */
  readonly reason: string;
  /** The lines that it covers, counted from 1. */
  readonly from: number;
  readonly to: number;
}

/** Findings about unreadable input and about the comments themselves cannot be suppressed by comments. */
const steadfast: ReadonlySet<string> = new Set(
  [inputUnreadable, renderFailed, ignoreWithoutReason, ignoreUnused].map(({ id }) => id),
);

const marker = "pulley:ignore";
const comment = /(?<=^|[ \t])#[ \t]*pulley:ignore(-file)?(?![\w-])[ \t]*([^\s]*)(.*)$/;

/** Comments in one text that are read, at most. */
const mostComments = 1000;

/**
 * The ignore comments of a text. A comment after content covers its line; one on a line of its own covers the line
 * below; one at the head of a document covers the document; `ignore-file` covers the whole file.
 */
export function readIgnores(source: SourceText): Ignore[] {
  if (!source.text.includes(marker)) return [];
  const ignores: Ignore[] = [];
  /** Comments of the head, open until their document ends, and comments that wait for the line below. */
  const waiting = { head: [] as OpenIgnore[], below: [] as OpenIgnore[] };
  const settle = (list: OpenIgnore[], to: number) => {
    for (const ignore of list.splice(0)) ignores.push({ ...ignore, to });
  };
  let atHead = true;
  let number = 0;
  for (const { line, start } of linesOf(source.text)) {
    number += 1;
    const sort = sortOf(line);
    if (sort === "marker") {
      if (!atHead) settle(waiting.head, number);
      atHead = true;
    }
    if (sort === "content") {
      settle(waiting.below, number);
      atHead = false;
    }
    const count = ignores.length + waiting.head.length + waiting.below.length;
    const found = line.includes(marker) && count < mostComments ? ignoreIn(source, line, start, number) : undefined;
    if (found === undefined) continue;
    if (found.wholeFile) ignores.push({ ...found.ignore, from: 1, to: Number.POSITIVE_INFINITY });
    else if (sort !== "comment") ignores.push({ ...found.ignore, to: number });
    else waiting[atHead ? "head" : "below"].push(found.ignore);
  }
  settle(waiting.head, number);
  settle(waiting.below, number);
  return ignores.toSorted((one, other) => one.region.start - other.region.start);
}

type OpenIgnore = Omit<Ignore, "to">;

function sortOf(line: string): "marker" | "comment" | "blank" | "content" {
  if (/^(?:---|\.\.\.)(?:[ \t]|$)/.test(line)) return "marker";
  if (/^\ufeff?[ \t]*$/.test(line)) return "blank";
  return /^\ufeff?[ \t]*#/.test(line) ? "comment" : "content";
}

function ignoreIn(
  source: SourceText,
  line: string,
  start: number,
  from: number,
): { ignore: OpenIgnore; wholeFile: boolean } | undefined {
  const found = comment.exec(line);
  if (found === null) return undefined;
  const [, wholeFile, rules = "", reason = ""] = found;
  const region = regionOf(source, { start: start + found.index, end: start + line.length });
  return { ignore: { region, ...namesOf(rules), reason: reason.trim(), from }, wholeFile: wholeFile !== undefined };
}

/** The lines without their line breaks. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly start: number }> {
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    yield { line: text.slice(start, text[end - 1] === "\r" ? end - 1 : end), start };
    start = end + 1;
  }
}

/** Whether the comment suppresses the finding. */
export function covers(ignore: Ignore, rule: string, { line }: Region): boolean {
  if (ignore.reason === "" || steadfast.has(rule)) return false;
  return ignore.from <= line && line <= ignore.to && ignore.rules.some((own) => own === rule);
}

function namesOf(text: string): { rules: RuleId[]; unknown: string[] } {
  const names = text.split(",").filter((name) => name !== "");
  return { rules: names.filter(isRuleId), unknown: names.filter((name) => !isRuleId(name)).map(short) };
}

function short(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
