import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { decompress, detectCompression, magicLength } from "../../support/decompress.ts";
import { PulleyError } from "../../support/errors.ts";

/** Reads a file at any place. */
export interface RandomReader {
  /** Up to `length` bytes; fewer only at the end. */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * A file as if it were not compressed. Of a gzip file, reading forwards is a single pass; reading backwards begins
 * again at the start.
 * @throws PulleyError `ARCHIVE_INVALID` for other compressions
 */
export async function openReader(path: string, file: FileHandle): Promise<RandomReader> {
  const plain = new PlainReader(file);
  const compression = detectCompression(await plain.read(0, magicLength));
  if (compression === "none") return plain;
  if (compression === "gzip") return new GzipReader(path, file);
  throw new PulleyError("ARCHIVE_INVALID", `is compressed in a way that is not read here`, {
    advice: "Decompress the archive first, or compress it with gzip.",
  });
}

class PlainReader implements RandomReader {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(buffer, filled, length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

class GzipReader implements RandomReader {
  readonly #path: string;
  readonly #file: FileHandle;
  #stream: AsyncIterator<Buffer>;
  /** What has been decompressed and not yet been asked for, and where it begins. */
  #pending: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#stream = this.#start();
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
    await this.#stream.return?.();
    await this.#file.close();
  }

  #start(): AsyncIterator<Buffer> {
    const compressed = createReadStream(this.#path, { fd: this.#file, start: 0, autoClose: false });
    return decompress(compressed, "gzip")[Symbol.asyncIterator]();
  }

  async #rewind(): Promise<void> {
    await this.#stream.return?.();
    this.#stream = this.#start();
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
    const next = await this.#stream.next().catch((cause: unknown) => {
      throw new PulleyError("ARCHIVE_INVALID", "the compressed data is damaged or cut off", { cause });
    });
    if (next.done) return false;
    this.#pending = next.value;
    return true;
  }
}
