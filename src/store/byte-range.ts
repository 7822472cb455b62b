/** Which bytes of content are wanted, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The bytes from `first` to `last` of content that comes in pieces and fails before its end if it is not what it must be.
 * The last of them are held back until all of the content has come: a part is as good as the whole, or it is broken off.
 */
export async function* partOf(pieces: AsyncIterable<Buffer>, { first, last }: ByteRange): AsyncGenerator<Buffer, void> {
  let at = 0;
  let held: Buffer | undefined;
  for await (const piece of pieces) {
    const own = piece.subarray(Math.max(0, first - at), Math.max(0, Math.min(piece.length, last + 1 - at)));
    at += piece.length;
    if (own.length === 0) continue;
    if (held !== undefined) yield held;
    held = own;
  }
  if (held !== undefined) yield held;
}
