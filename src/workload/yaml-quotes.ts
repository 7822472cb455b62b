/**
 * Quoted scalars whose further lines are not indented. Programs that wrap long lines write them, and kubectl, whose
 * parser asks nothing of such lines, reads them; the library does not. So they are read with spaces before them: spaces
 * at the beginning of a further line mean nothing.
 */

export interface PaddedText {
  readonly text: string;
  /** From an offset in it to the offset in what it was made of. */
  original(offset: number): number;
}

export function unpadded(text: string): PaddedText {
  return { text, original: (offset) => offset };
}

/**
 * The text with the further lines of one quoted scalar indented.
 * @param broken an offset within, or at the end of, the last line that was read of the scalar
 * @returns `undefined` where the scalar does not end, or has no line that lacks indentation
 */
export function withIndentedQuote(padded: PaddedText, broken: number, quote: string): PaddedText | undefined {
  const { text } = padded;
  const lineStart = text.lastIndexOf("\n", Math.max(0, broken - 1)) + 1;
  const end = endOfQuote(text, broken, quote);
  if (end === undefined) return undefined;
  // As far in as the line itself, its dashes and one more.
  const [{ length }] = /^[ ]*(?:[-?] +)*/.exec(text.slice(lineStart, broken)) ?? [""];
  const indent = " ".repeat(length + 1);
  const pieces: string[] = [];
  const added: { readonly at: number; readonly length: number }[] = [];
  let from = 0;
  let total = 0;
  for (let feed = text.indexOf("\n", broken); feed >= 0 && feed < end; feed = text.indexOf("\n", feed + 1)) {
    const at = feed + 1;
    pieces.push(text.slice(from, at), indent);
    total += indent.length;
    added.push({ at, length: total });
    from = at;
  }
  if (added.length === 0) return undefined;
  pieces.push(text.slice(from));
  return { text: pieces.join(""), original: (offset) => padded.original(withoutAdded(offset, added)) };
}

/** Where the quote closes; a document's marker at the beginning of a line is no part of a scalar. */
function endOfQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\\" && quote === '"') at += 1;
    else if (character === quote) {
      if (quote === '"' || text[at + 1] !== "'") return at;
      at += 1;
    }
  }
  return undefined;
}

/** @param added where something was put in, and how much up to there and with it; in order */
function withoutAdded(offset: number, added: readonly { readonly at: number; readonly length: number }[]): number {
  let before = 0;
  for (const { at, length } of added) {
    if (offset < at + before) return offset - before;
    // Within what was put in: where it was put.
    if (offset < at + length) return at;
    before = length;
  }
  return offset - before;
}
