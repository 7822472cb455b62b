/** An input text that knows its lines. */
import type { Position } from "./types.ts";

export interface SourceText {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly text: string;
  /** Where an offset is. Columns count UTF-16 code units, as editors do; a byte order mark takes no column. */
  position(offset: number): Position;
}

const byteOrderMark = "\ufeff";

export function sourceText(text: string, file: string): SourceText {
  let starts: number[] | undefined;
  return {
    file,
    text,
    position(offset) {
      starts ??= lineStarts(text);
      const line = lastAtOrBefore(starts, offset);
      return { file, line: line + 1, column: Math.max(0, offset - (starts[line] ?? 0)) + 1 };
    },
  };
}

/** The length of the byte order mark that a text begins with: 0 or 1. */
export function markLength(text: string): number {
  return text.startsWith(byteOrderMark) ? 1 : 0;
}

function lineStarts(text: string): number[] {
  const starts = [markLength(text)];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the last number that is not greater than `wanted`; 0 if all are. The numbers ascend. */
function lastAtOrBefore(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((numbers[middle] ?? 0) <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
