/**
 * Sizes that a manifest, an archive or a registry claims for content. If the
 * content is here and has another size, the claim is wrong, unless the content is damaged; only reading it tells.
 */
import type { Digest } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { Content } from "./stored-record.ts";

/** @param found the size that the content has, which is sound */
export function wrongSize({ digest, size }: Content, found: number): PulleyError {
  return new PulleyError("SIZE_MISMATCH", `${digest} is here and has ${found} bytes, but is named with ${size}`, {
    advice:
      "The image was built wrong, or its source is not trustworthy: ask its operator. The content in the store stays as it is.",
  });
}

/** Content that is remembered as sound: as much as a large store has. */
const mostRemembered = 100_000;

/**
 * Finds the true size of content that is claimed to have another one. Content is read once for that, however often
 * a claim is wrong, and one after the other, so that many claims do not keep the disk busy.
 */
export class TrueSizes {
  readonly #check: (digest: Digest) => Promise<unknown>;
  /** How the content looked when it was read and found sound. */
  readonly #sound = new Map<Digest, string>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param check reads content from beginning to end; notes it here if it is sound, and sees to what is not */
  constructor(check: (digest: Digest) => Promise<unknown>) {
    this.#check = check;
  }

  /** Notes that content was sound as it looked then. */
  note(digest: Digest, look: string): void {
    this.#sound.delete(digest);
    this.#sound.set(digest, look);
    const [oldest] = this.#sound.keys();
    if (this.#sound.size > mostRemembered && oldest !== undefined) this.#sound.delete(oldest);
  }

  /** Whether content that looks so has been read and found sound. */
  isSound(digest: Digest, look: string): boolean {
    return this.#sound.get(digest) === look;
  }

  /** @param look how the content looks now, and its size; `undefined` if it is not here */
  async of(digest: Digest, look: () => Promise<SeenContent | undefined>): Promise<number | undefined> {
    const turn = this.#turn.then(async () => {
      const before = await look();
      if (before === undefined || this.#sound.get(digest) === before.state) return before?.size;
      await this.#check(digest);
      const after = await look();
      return after !== undefined && this.#sound.get(digest) === after.state ? after.size : undefined;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Content as it looks without being read. */
export interface SeenContent {
  readonly size: number;
  /** Differs after every change. */
  readonly state: string;
}
