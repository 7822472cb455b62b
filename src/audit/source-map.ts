/** Maps findings in rendered manifests to the files that they were rendered from. */
import { sourceText } from "../workload/index.ts";
import { regionOf, type Span } from "./spans.ts";
import type { Finding, Region } from "./types.ts";

interface SourceLine {
  readonly span: Span;
  /** Trimmed. */
  readonly text: string;
  /** `image`, also of `- image: …`; empty for lines without a key. */
  readonly key: string;
}

/**
 * Moves findings from a rendered text to its original: to the only line with the same text, or to the only one with
 * the same key, or, where both texts have that key equally often, to the one with the same rank; otherwise to the file's
 * beginning. Fixes are removed: they are for the rendered text, not for the file.
 */
export function sourceMap(rendered: string, original: string): (finding: Finding) => Finding {
  const regionIn = sourceRegion(rendered, original);
  return ({ fix: _, ...finding }) => ({ ...finding, region: regionIn(finding.region) });
}

/** Moves regions as {@link sourceMap} moves findings. */
export function sourceRegion(rendered: string, original: string): (region: Region) => Region {
  let lines: { readonly from: readonly SourceLine[]; readonly to: readonly SourceLine[] } | undefined;
  return (region) => {
    lines ??= { from: linesOf(rendered), to: linesOf(original) };
    return moved(region, lines.from, lines.to, original);
  };
}

function moved(
  { file, line }: Region,
  from: readonly SourceLine[],
  to: readonly SourceLine[],
  original: string,
): Region {
  const own = from[line - 1];
  const there = own === undefined ? undefined : counterpart(own, from, to);
  return regionOf(sourceText(original, file), there?.span ?? { start: 0, end: 0 });
}

function counterpart(own: SourceLine, from: readonly SourceLine[], to: readonly SourceLine[]): SourceLine | undefined {
  const alike = to.filter(({ text }) => text === own.text);
  if (alike.length === 1) return alike[0];
  if (own.key === "") return undefined;
  const candidates = to.filter(({ key }) => key === own.key);
  if (candidates.length === 1) return candidates[0];
  const peers = from.filter(({ key }) => key === own.key);
  return peers.length === candidates.length ? candidates[peers.indexOf(own)] : undefined;
}

function linesOf(text: string): SourceLine[] {
  let at = 0;
  return text.split("\n").map((line) => {
    const start = at + (line.length - line.trimStart().length);
    at += line.length + 1;
    const trimmed = line.trim();
    const [, key = ""] = /^(?:- +)?([\w.-]+):/.exec(trimmed) ?? [];
    return { span: { start, end: start + trimmed.length }, text: trimmed, key };
  });
}
