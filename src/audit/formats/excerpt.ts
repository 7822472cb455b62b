/** One line of an input as a terminal can show it, cut so that the marked part is in view. */
import { fit, printable, widthOf } from "../../support/terminal.ts";

/** Printable; the three parts together fit the width. */
export interface Excerpt {
  readonly before: string;
  readonly marked: string;
  readonly after: string;
}

/**
 * @param column where the mark begins, counted from 1 in UTF-16 units
 * @param endColumn behind the mark's last character; the mark is at least one column wide, even at the end of the line
 * @param width columns there are
 */
export function excerpt(line: string, column: number, endColumn: number, width: number): Excerpt {
  const from = Math.min(column - 1, line.length);
  const to = Math.min(Math.max(endColumn - 1, from), line.length);
  // What is further away than the line may be wide cannot be in view; without that, a line of a megabyte takes seconds.
  const before = visible(line.slice(Math.max(0, from - width), from));
  const marked = visible(line.slice(from, Math.min(to, from + width)));
  const after = visible(line.slice(to, to + width));
  if (widthOf(before) + widthOf(marked) + widthOf(after) < width && from <= width) return { before, marked, after };
  const mark = fit(marked, Math.ceil(width / 2));
  const room = width - Math.max(1, widthOf(mark));
  const head = fitEnd(before, Math.max(Math.floor(room / 2), room - widthOf(after)));
  return { before: head, marked: mark, after: fit(after, Math.max(0, room - widthOf(head))) };
}

/** As YAML has it, a tab is no indentation, so two blanks for it suffice. */
function visible(text: string): string {
  return text.split("\t").map(printable).join("  ");
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The end of a text in `width` columns, its first one an ellipsis if anything is missing. */
function fitEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of [...segmenter.segment(text)].reverse()) {
    used += widthOf(segment);
    if (used > width) break;
    kept = segment + kept;
  }
  return width < 1 ? "" : `…${kept}`;
}
