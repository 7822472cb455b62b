/** The lines of a body that comes as long as it likes. */
import type { Readable } from "node:stream";
import { PulleyError } from "../support/errors.ts";
import { HeldBytes } from "./held-bytes.ts";

const newline = 0x0a;

/**
 * Each line without its end, when it is there; what follows the last newline is no line. In memory there is one line
 * and one piece, however small the pieces are.
 * @throws PulleyError `TOO_LARGE` if a line has more than `limit` bytes; what the body throws
 */
export async function* linesOf(body: Readable, limit: number): AsyncGenerator<string, void> {
  const held = new HeldBytes();
  const refuse = () =>
    new PulleyError("TOO_LARGE", `the cluster's event has more than ${limit} bytes`, {
      advice: "Tell who runs the cluster: no object should be as long.",
    });
  for await (const piece of body) {
    let rest = Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      held.add(rest.subarray(0, end), limit, refuse);
      const line = held.bytes.toString("utf8");
      rest = rest.subarray(end + 1);
      held.shrink();
      yield line;
    }
    held.add(rest, limit, refuse);
  }
}
