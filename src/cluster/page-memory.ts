/** Memory for documents of the API that is used again: a list of a hundred thousand objects has hundreds of pages. */
import type { Readable } from "node:stream";
import { HeldBytes } from "./held-bytes.ts";

export class PageMemory {
  /** Not in use. */
  #spare: HeldBytes | undefined;

  /**
   * Reads the whole of a body.
   * @param refuse makes what is thrown if it has more than `limit` bytes
   * @param use makes something of the bytes, which are only there as long as it runs
   * @throws what the body and `use` throw
   */
  async read<T>(body: Readable, limit: number, refuse: () => Error, use: (bytes: Buffer) => T): Promise<T> {
    const memory = this.#spare ?? new HeldBytes();
    this.#spare = undefined;
    memory.clear();
    try {
      for await (const piece of body) memory.add(Buffer.isBuffer(piece) ? piece : Buffer.from(piece), limit, refuse);
      return use(memory.bytes);
    } finally {
      this.#spare = memory;
    }
  }
}
