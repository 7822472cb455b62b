import type { FileHandle } from "node:fs/promises";
import { type Compression, decompress, detectCompression, magicLength } from "../../support/decompress.ts";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";

/** Reads a file at any place. */
export interface RandomReader {
  /** Whether reading backwards means to begin again at the start. */
  readonly forwards: boolean;
  /** Up to `length` bytes; fewer only at the end. */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Bytes of a compressed file that are read at once. */
const chunkSize = 256 * 1024;

/**
 * A file as if it were not compressed. Of a compressed one, reading forwards is a single pass; reading backwards begins
 * again at the start.
 * @throws PulleyError `ARCHIVE_INVALID` for compressions that are not read, `INPUT_UNREADABLE`
 */
export async function openReader(path: string, file: FileHandle): Promise<RandomReader> {
  const plain = new PlainReader(path, file);
  const compression = detectCompression(await plain.read(0, magicLength));
  if (compression === "none") return plain;
  if (compression !== undefined) return new CompressedReader(plain, compression);
  throw new PulleyError("ARCHIVE_INVALID", `is compressed in a way that is not read here`, {
    advice: "Decompress the archive first, or compress it with gzip or zstd.",
  });
}

class PlainReader implements RandomReader {
  readonly forwards = false;
  readonly #path: string;
  readonly #file: FileHandle;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file
        .read(buffer, filled, length - filled, at + filled)
        .catch((cause: unknown) => {
          throw new PulleyError("INPUT_UNREADABLE", `${this.#path}: ${errorText(cause)}`, { cause });
        });
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Every pass reads at places of its own, so that one that is given up neither closes the file nor moves another's place. */
class CompressedReader implements RandomReader {
  readonly forwards = true;
  readonly #compressed: RandomReader;
  readonly #compression: Compression;
  #pass: AsyncIterator<Buffer>;
  /** Decompressed bytes that were not read yet, and their offset. */
  #pending: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(compressed: RandomReader, compression: Compression) {
    this.#compressed = compressed;
    this.#compression = compression;
    this.#pass = this.#start();
  }

  async read(at: number, length: number): Promise<Buffer> {
    if (at < this.#at) await this.#rewind();
    await this.#skipTo(at);
    const parts: Buffer[] = [];
    let wanted = length;
    while (wanted > 0 && (this.#pending.length > 0 || (await this.#fill()))) {
      const part = this.#pending.subarray(0, wanted);
      parts.push(part);
      wanted -= part.length;
      this.#consume(part.length);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#pass.return?.();
    await this.#compressed.close();
  }

  #start(): AsyncIterator<Buffer> {
    return decompress(everythingOf(this.#compressed), this.#compression)[Symbol.asyncIterator]();
  }

  async #rewind(): Promise<void> {
    await this.#pass.return?.();
    this.#pass = this.#start();
    this.#pending = Buffer.alloc(0);
    this.#at = 0;
  }

  async #skipTo(at: number): Promise<void> {
    while (this.#at < at && (this.#pending.length > 0 || (await this.#fill()))) {
      this.#consume(Math.min(this.#pending.length, at - this.#at));
    }
  }

  #consume(length: number): void {
    this.#pending = this.#pending.subarray(length);
    this.#at += length;
  }

  async #fill(): Promise<boolean> {
    const next = await this.#pass.next().catch((cause: unknown) => {
      if (isPulleyError(cause)) throw cause;
      throw new PulleyError("ARCHIVE_INVALID", "the compressed data is damaged or cut off", { cause });
    });
    if (next.done) return false;
    this.#pending = next.value;
    return true;
  }
}

async function* everythingOf(reader: RandomReader): AsyncIterable<Buffer> {
  for (let at = 0; ; ) {
    const chunk = await reader.read(at, chunkSize);
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}
