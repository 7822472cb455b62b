/** Bytes that are gathered in memory that is used again, and grows where it has to. */
export class HeldBytes {
  readonly #usual: number;
  #memory: Buffer;
  #length = 0;

  /** @param usual bytes to begin with */
  constructor(usual = 64 * 1024) {
    this.#usual = usual;
    this.#memory = Buffer.alloc(usual);
  }

  /**
   * @param limit bytes that there may be in all
   * @throws what `refuse` makes, if there are more
   */
  add(bytes: Uint8Array, limit: number, refuse: () => Error): void {
    const needed = this.#length + bytes.length;
    if (needed > limit) throw refuse();
    if (needed > this.#memory.length) {
      const larger = Buffer.alloc(Math.max(needed, Math.min(limit, this.#memory.length * 2)));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    this.#memory.set(bytes, this.#length);
    this.#length = needed;
  }

  /** As long as nothing is added or cleared. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Forgets the bytes, and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Gives back what was needed besides the usual. */
  shrink(): void {
    this.#length = 0;
    if (this.#memory.length > this.#usual) this.#memory = Buffer.alloc(this.#usual);
  }
}
