/**
 * Telling the documents of a YAML stream apart before any is parsed, so that a broken one cannot spoil the others.
 * Markers at the beginning of a line hold wherever they stand, inside quotes and brackets too (YAML 1.2.2, 9.1.2).
 */

export interface YamlPart {
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/** The parts of a text that hold one document each, with the directives and comments that belong to it. */
export function* yamlParts(text: string): Generator<YamlPart> {
  const marker = /(?:^|\n)(---|\.\.\.)(?=[ \t\r\n]|$)/g;
  let start = 0;
  for (let match = marker.exec(text); match !== null; match = marker.exec(text)) {
    const at = match.index + match[0].length - 3;
    if (match[1] === "...") {
      const end = lineEnd(text, at);
      yield { start, end };
      start = end;
      marker.lastIndex = end - 1;
    } else if (!isPrelude(text, start, at)) {
      yield { start, end: at };
      start = at;
    }
  }
  yield { start, end: text.length };
}

/** Whether there are only directives, comments and empty lines: what belongs to the document that follows. */
function isPrelude(text: string, start: number, end: number): boolean {
  const line = /\ufeff?(?:%|[ \t]*(?:#|\r?\n))/y;
  for (let at = start; at < end; at = lineEnd(text, at)) {
    line.lastIndex = at;
    if (!line.test(text)) return false;
  }
  return true;
}

/** The offset behind the line feed that ends the line. */
export function lineEnd(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  return feed < 0 ? text.length : feed + 1;
}
