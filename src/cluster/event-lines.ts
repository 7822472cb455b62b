/** The lines of a body that comes as long as it likes. */
import type { Readable } from "node:stream";
import { PulleyError } from "../support/errors.ts";

const newline = 0x0a;

/** Bytes of a buffer that is used again. */
const usualLine = 64 * 1024;

/**
 * Each line without its end, when it is there; what follows the last newline is no line. In memory there is one line
 * and one piece, however small the pieces are.
 * @throws PulleyError `TOO_LARGE` if a line has more than `limit` bytes; what the body throws
 */
export async function* linesOf(body: Readable, limit: number): AsyncGenerator<string, void> {
  let held = Buffer.alloc(usualLine);
  let length = 0;
  const hold = (bytes: Buffer) => {
    const needed = length + bytes.length;
    if (needed > limit) {
      throw new PulleyError("TOO_LARGE", `the cluster's event has more than ${limit} bytes`, {
        advice: "Tell who runs the cluster: no object should be as long.",
      });
    }
    if (needed > held.length) {
      const larger = Buffer.alloc(Math.min(limit, Math.max(needed, held.length * 2)));
      held.copy(larger, 0, 0, length);
      held = larger;
    }
    bytes.copy(held, length);
    length = needed;
  };
  for await (const piece of body) {
    let rest = Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      hold(rest.subarray(0, end));
      const line = held.toString("utf8", 0, length);
      rest = rest.subarray(end + 1);
      length = 0;
      if (held.length > usualLine) held = Buffer.alloc(usualLine);
      yield line;
    }
    hold(rest);
  }
}
