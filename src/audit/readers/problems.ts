/** From what the readers of manifests complain about to places in the text. */
import type { Problem } from "../../workload/index.ts";
import { markLength, type SourceText } from "../../workload/source-text.ts";
import type { Span } from "../spans.ts";

export interface PlacedProblem {
  readonly at: Span;
  readonly message: string;
}

/** The problems with the rest of the line that they are on. */
export function problemsOf({ text }: SourceText, problems: readonly Problem[]): PlacedProblem[] {
  if (problems.length === 0) return [];
  const starts = lineStarts(text);
  return problems.map(({ source: { line, column }, message }) => {
    const start = Math.min(text.length, (starts[line - 1] ?? 0) + column - 1);
    const rest = /[^\r\n]*/y;
    rest.lastIndex = start;
    return { at: { start, end: start + (rest.exec(text)?.[0].length ?? 0) }, message };
  });
}

/** The first braces of a template in the document around a place; `undefined` where the document has none. */
export function templateAround(text: string, { start }: Span): Span | undefined {
  const from = text.lastIndexOf("\n---", start) + 1;
  const next = text.indexOf("\n---", start);
  const document = text.slice(from, next < 0 ? text.length : next);
  const open = document.indexOf("{{");
  if (open < 0) return undefined;
  const close = /\{\{[^\r\n]*?\}\}|\{\{/y;
  close.lastIndex = open;
  return { start: from + open, end: from + open + (close.exec(document)?.[0].length ?? 2) };
}

function lineStarts(text: string): number[] {
  const starts = [markLength(text)];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
