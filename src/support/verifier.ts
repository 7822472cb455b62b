import { createHash, type Hash } from "node:crypto";
import { PulleyError } from "./errors.ts";

/** What bytes are announced to be; a `Descriptor` is one. */
export interface Announced {
  /** `algorithm:hex`, checked for form before. */
  readonly digest: string;
  readonly size: number;
}

const algorithms: ReadonlySet<string> = new Set(["sha256", "sha384", "sha512"]);

/**
 * Checks bytes against their digest and size as they pass. The one place where Pulley decides that content is what it
 * claims to be: registry, store and archives all read through it.
 */
export class Verifier {
  readonly #announced: Announced;
  readonly #hash: Hash;
  #received = 0;

  /** @throws PulleyError `SIZE_MISMATCH` if the announced size is not a size, `DIGEST_INVALID` for an unknown algorithm */
  constructor(announced: Announced) {
    this.#announced = announced;
    if (!Number.isSafeInteger(announced.size) || announced.size < 0) {
      throw new PulleyError(
        "SIZE_MISMATCH",
        `${announced.digest} is announced with the impossible size ${announced.size}`,
      );
    }
    this.#hash = hashFor(announced.digest);
  }

  /** Bytes seen so far. */
  get received(): number {
    return this.#received;
  }

  get complete(): boolean {
    return this.#received === this.#announced.size;
  }

  /** @throws PulleyError `SIZE_MISMATCH` if so many more bytes would be more than announced */
  requireRoom(length: number): void {
    const { digest, size } = this.#announced;
    if (this.#received + length > size) {
      throw new PulleyError("SIZE_MISMATCH", `expected ${size} bytes for ${digest}, found more`);
    }
  }

  /** @throws PulleyError `SIZE_MISMATCH` as soon as there is one byte more than announced */
  update(bytes: Uint8Array): void {
    this.requireRoom(bytes.length);
    this.#received += bytes.length;
    this.#hash.update(bytes);
  }

  /** Ends the check; the verifier cannot be used again. @throws PulleyError `SIZE_MISMATCH`, `DIGEST_MISMATCH` */
  finish(): void {
    const { digest, size } = this.#announced;
    if (!this.complete) {
      throw new PulleyError("SIZE_MISMATCH", `expected ${size} bytes for ${digest}, found only ${this.#received}`);
    }
    const algorithm = digest.slice(0, digest.indexOf(":"));
    const found = `${algorithm}:${this.#hash.digest("hex")}`;
    if (found !== digest) throw new PulleyError("DIGEST_MISMATCH", `expected ${digest}, found ${found}`);
  }
}

/** Checks bytes that are all there already. @throws PulleyError `SIZE_MISMATCH`, `DIGEST_MISMATCH` */
export function verify(announced: Announced, bytes: Uint8Array): void {
  const verifier = new Verifier(announced);
  verifier.update(bytes);
  verifier.finish();
}

/** The sha256 digest of bytes that were not announced with one. */
export function sha256Of(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function hashFor(digest: string): Hash {
  const algorithm = digest.slice(0, digest.indexOf(":"));
  if (!algorithms.has(algorithm)) {
    throw new PulleyError("DIGEST_INVALID", `unsupported digest algorithm: ${JSON.stringify(digest.slice(0, 200))}`);
  }
  return createHash(algorithm);
}
