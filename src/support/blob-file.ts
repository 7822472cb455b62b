import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { errorText, isPulleyError, PulleyError } from "./errors.ts";
import { type Announced, Verifier } from "./verifier.ts";

/** Bytes that are gathered before they are written: one write of many bytes costs far less than many writes. */
const writeLength = 256 * 1024;
/** Bytes after which the disk is set to work in the background, so that the last flush finds little left to do. */
const flushLength = 256 * 1024 * 1024;
const readLength = 1024 * 1024;

const flushToDisk = promisify(fdatasync);
const closeFile = promisify(close);

/** Where a blob is received. */
export interface BlobPlace {
  readonly descriptor: Announced;
  readonly path: string;
}

/**
 * The file that a blob is received into. It never holds more than the announced size. What is hashed is what was written:
 * the same memory, after the write, in the order of the file. So a digest that is right is the digest of the file. Writes
 * are synchronous: in a thread of its own that is the fastest way to a disk that Node has.
 */
export class BlobFile {
  readonly #target: BlobPlace;
  readonly #file: number;
  /** Has seen every byte of the file, and no other. */
  #verifier: Verifier;
  /** What was received and is not written yet, from its beginning. */
  #gathered: Buffer | undefined;
  #gatheredLength = 0;
  #flushed = 0;
  #flushing: Promise<void> | undefined;

  /** @param file an open file descriptor, for reading and writing */
  constructor(target: BlobPlace, file: number) {
    this.#target = target;
    this.#file = file;
    this.#verifier = new Verifier(target.descriptor);
  }

  /** Bytes received, those of earlier attempts included. */
  get received(): number {
    return this.#written + this.#gatheredLength;
  }

  get complete(): boolean {
    return this.received === this.#target.descriptor.size;
  }

  get #written(): number {
    return this.#verifier.received;
  }

  /** Hashes what an earlier attempt left; what cannot be the beginning of the blob is dropped. */
  readBack(): void {
    const status = this.#onDisk(() => fstatSync(this.#file));
    if (!status.isFile()) throw new PulleyError("STORE_FAILED", `${this.#target.path} is not a regular file`);
    if (status.size > this.#target.descriptor.size) this.empty();
    const block = Buffer.allocUnsafe(Math.min(readLength, status.size));
    for (;;) {
      const length = this.#onDisk(() => readSync(this.#file, block, 0, block.length, this.#written));
      if (length === 0) return;
      this.#verifier.update(block.subarray(0, length));
    }
  }

  /** Takes the next piece. @throws PulleyError `SIZE_MISMATCH` beyond the announced size, `STORE_FAILED`, `DISK_FULL` */
  append(piece: Uint8Array): void {
    this.#verifier.requireRoom(this.#gatheredLength + piece.length);
    if (this.#gatheredLength + piece.length <= writeLength) {
      this.#gather(piece);
      return;
    }
    this.#writeGathered();
    this.#write(piece);
  }

  /** Forgets everything that was received. */
  empty(): void {
    this.#gatheredLength = 0;
    this.#flushed = 0;
    this.#verifier = new Verifier(this.#target.descriptor);
    this.#onDisk(() => ftruncateSync(this.#file, 0));
  }

  /** Decides whether the bytes are the blob; if not, the file is empty afterwards. @throws PulleyError `DIGEST_MISMATCH` */
  verify(): void {
    this.#writeGathered();
    try {
      this.#requireWrittenSize();
      this.#verifier.finish();
    } catch (error) {
      this.empty();
      throw error;
    }
  }

  /** Waits until the bytes are on the disk. */
  async flush(): Promise<void> {
    await this.#flushing;
    await flushToDisk(this.#file).catch((error: unknown) => this.#fail(error));
  }

  /** Keeps what was received for another attempt, as far as it can be written. */
  async close(): Promise<void> {
    try {
      this.#writeGathered();
    } catch (error) {
      if (!isPulleyError(error)) throw error;
    }
    await this.#flushing?.catch(() => undefined);
    await closeFile(this.#file);
  }

  /** Small pieces are copied, for their memory is soon another piece's. */
  #gather(piece: Uint8Array): void {
    this.#gathered ??= Buffer.allocUnsafeSlow(writeLength);
    this.#gathered.set(piece, this.#gatheredLength);
    this.#gatheredLength += piece.length;
  }

  #writeGathered(): void {
    const length = this.#gatheredLength;
    this.#gatheredLength = 0;
    if (this.#gathered !== undefined && length > 0) this.#write(this.#gathered.subarray(0, length));
  }

  /** The only way to the file: each byte goes to the place behind the last one that was hashed, and is hashed then. */
  #write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const written = this.#onDisk(() => writeSync(this.#file, rest, 0, rest.length, this.#written));
      this.#verifier.update(rest.subarray(0, written));
      rest = rest.subarray(written);
    }
    if (this.#written - this.#flushed >= flushLength && this.#flushing === undefined) this.#flushInBackground();
  }

  /** A file of another size holds something that was not hashed. */
  #requireWrittenSize(): void {
    const { path, descriptor } = this.#target;
    const { size } = this.#onDisk(() => fstatSync(this.#file));
    if (size === this.#written) return;
    const text = `${path}: ${size} bytes are in the file, ${this.#written} of ${descriptor.digest} were written`;
    throw new PulleyError("STORE_FAILED", text);
  }

  #flushInBackground(): void {
    this.#flushed = this.#written;
    this.#flushing = flushToDisk(this.#file).finally(() => {
      this.#flushing = undefined;
    });
    // A failure is found again, and told, by the flush at the end.
    this.#flushing.catch(() => undefined);
  }

  #onDisk<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    throw diskFailure(error, this.#target.path);
  }
}

/** Opens the file of a blob, or makes it, and reads back what is in it. @throws PulleyError `STORE_FAILED` */
export function openBlobFile(target: BlobPlace): BlobFile {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(target.path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw diskFailure(error, target.path);
  }
  try {
    const file = new BlobFile(target, descriptor);
    file.readBack();
    return file;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function diskFailure(error: unknown, path: string): PulleyError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new PulleyError(full ? "DISK_FULL" : "STORE_FAILED", `${path}: ${errorText(error)}`, { cause: error });
}
