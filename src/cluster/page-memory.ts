/** Memory for documents of the API that is used again: a list of a hundred thousand objects has hundreds of pages. */
import type { Readable } from "node:stream";

/** Bytes to begin with. */
const usual = 64 * 1024;

export class PageMemory {
  /** Not in use. */
  #spare: Buffer | undefined;

  /**
   * Reads the whole of a body.
   * @param refuse makes what is thrown if it has more than `limit` bytes
   * @param use makes something of the bytes, which are only there as long as it runs
   * @throws what the body and `use` throw
   */
  async read<T>(body: Readable, limit: number, refuse: () => Error, use: (bytes: Buffer) => T): Promise<T> {
    let memory = this.#spare ?? Buffer.alloc(usual);
    this.#spare = undefined;
    let length = 0;
    try {
      for await (const piece of body) {
        const bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
        const needed = length + bytes.length;
        if (needed > limit) throw refuse();
        if (needed > memory.length) {
          const larger = Buffer.alloc(Math.max(needed, Math.min(limit, memory.length * 2)));
          memory.copy(larger, 0, 0, length);
          memory = larger;
        }
        bytes.copy(memory, length);
        length = needed;
      }
      return use(memory.subarray(0, length));
    } finally {
      this.#spare = memory;
    }
  }
}
