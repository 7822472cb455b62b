/** Content under its digest. Damaged content is set aside, so that it is fetched again. */
import { link, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../image/index.ts";
import { openBlobFile } from "../../support/blob-file.ts";
import { hasErrno, isPulleyError, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import { type ByteRange, partOf } from "../byte-range.ts";
import {
  type FileStatus,
  fileStatus,
  flatName,
  ifPresent,
  moveFile,
  type OpenedFile,
  openRegular,
  randomName,
  removeFile,
  stateOf,
  unlessExisting,
} from "../files.ts";
import type { VerifyOptions } from "../image-store.ts";
import type { Content } from "../stored-record.ts";
import { TrueSizes, wrongSize } from "../true-sizes.ts";
import { restore } from "./garbage.ts";
import { blobFolder, blobPath, type StorePaths, temporaryPath } from "./paths.ts";

/** Bytes read at once: hashing and reading are fastest from about here. */
const chunkSize = 1024 * 1024;

/** The size that a record of this store gives content. */
type Recorded = (digest: Digest) => Promise<number | undefined>;

export class Blobs {
  readonly #paths: StorePaths;
  readonly #recorded: Recorded;
  readonly #trueSizes = new TrueSizes((digest) => this.check(digest));

  constructor(paths: StorePaths, recorded: Recorded = async () => undefined) {
    this.#paths = paths;
    this.#recorded = recorded;
  }

  /**
   * Whether the content is here in its full size. Damage is told from a wrong claim by reading the content.
   * @throws PulleyError `SIZE_MISMATCH` if the content is here, is sound, and has another size
   */
  async has(content: Content): Promise<boolean> {
    const { digest, size } = content;
    const found = await this.#look(digest);
    if (found === undefined) return false;
    if (!found.isFile) {
      await this.#setAside(digest, "not a regular file", found);
      return false;
    }
    const actual = found.size === size ? size : await this.#trueSize(digest);
    if (actual === undefined || actual === size) return actual === size;
    throw wrongSize(content, actual);
  }

  /** Whether something is here under the digest, whatever it is. */
  async isThere(digest: Digest): Promise<boolean> {
    return (await this.#look(digest)) !== undefined;
  }

  /** @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `TOO_LARGE` */
  async read(digest: Digest, limit: number): Promise<Buffer> {
    const opened = await this.#open(digest);
    const { file, size } = opened;
    try {
      if (size > limit) {
        throw new PulleyError("TOO_LARGE", `${digest} has ${size} bytes, more than the ${limit} that it may have`);
      }
      const bytes = await file.readFile();
      await this.#check(new Verifier({ digest, size }), (verifier) => verifier.update(bytes), digest, opened);
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * The content, chunk by chunk. The last chunk comes after everything has been verified, so that no reader takes
   * damaged content for whole.
   * @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, both as soon as they can be known; `SIZE_MISMATCH` if it is
   *   sound and has another size
   */
  async open(content: Content): Promise<AsyncIterable<Buffer>> {
    const opened = await this.#open(content.digest);
    if (opened.size === content.size) return this.#stream(opened, content);
    await opened.file.close();
    const actual = await this.#trueSize(content.digest);
    if (actual === undefined) throw damaged(content.digest, `${opened.size} bytes instead of ${content.size}`);
    if (actual !== content.size) throw wrongSize(content, actual);
    return this.open(content);
  }

  /**
   * A part of the content. It is read alone where the file is the one, unchanged, that has been verified before; otherwise
   * all of it is, and the end of the part is held back until then.
   * @throws PulleyError as {@link Blobs.open}
   */
  async openPart(content: Content, part: ByteRange): Promise<AsyncIterable<Buffer>> {
    const opened = await this.#open(content.digest);
    const isSound = opened.size === content.size && this.#trueSizes.isSound(content.digest, opened.state);
    if (isSound) return readPart(opened, content, part);
    await opened.file.close();
    return partOf(await this.open(content), part);
  }

  /** Reads content again from beginning to end: `undefined` if there is none. */
  async check(digest: Digest, pace?: VerifyOptions["pace"]): Promise<"sound" | "damaged" | undefined> {
    try {
      const opened = await this.#open(digest);
      const chunks = this.#stream(opened, { digest, size: opened.size });
      for await (const chunk of chunks) await pace?.(chunk.length);
      return "sound";
    } catch (error) {
      if (isPulleyError(error, "BLOB_DAMAGED")) return "damaged";
      if (isPulleyError(error, "IMAGE_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /**
   * Writes small content. What is hashed is what was written, whatever becomes of the memory meanwhile.
   * @throws PulleyError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK_FULL`
   */
  async write(content: Content, bytes: Uint8Array): Promise<void> {
    const path = temporaryPath(this.#paths);
    const file = openBlobFile({ descriptor: content, path });
    try {
      file.append(bytes);
      file.verify();
      await file.flush();
    } catch (error) {
      await removeFile(path);
      throw error;
    } finally {
      await file.close();
    }
    await this.place(path, content.digest);
  }

  /** Makes a verified file the content of a digest. The folder is not synced. */
  async place(path: string, digest: Digest): Promise<void> {
    try {
      await rename(path, blobPath(this.#paths, digest));
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
      await mkdir(blobFolder(this.#paths, digest), { recursive: true, mode: 0o700 });
      await rename(path, blobPath(this.#paths, digest));
    }
  }

  async list(): Promise<Digest[]> {
    const algorithms = await readdir(this.#paths.blobs);
    const lists = algorithms.map(async (algorithm) => {
      const names = (await ifPresent(readdir(join(this.#paths.blobs, algorithm)))) ?? [];
      return names.map((hex) => `${algorithm}:${hex}`).filter(isDigest);
    });
    return (await Promise.all(lists)).flat();
  }

  /** The size of content that is sound, for which that of the file is not enough; `undefined` if it is damaged or gone. */
  async #trueSize(digest: Digest): Promise<number | undefined> {
    const found = await this.#look(digest);
    // What came in under this size, and still has it, need not be read.
    if (found?.isFile && found.size === (await this.#recorded(digest))) return found.size;
    return this.#trueSizes.of(digest, () => this.#look(digest));
  }

  /** @param seen how the content looked that was found to be damaged: another process may have brought it anew since */
  async #setAside(digest: Digest, why: string, { state }: Pick<FileStatus, "state">): Promise<void> {
    const [path, aside] = [
      blobPath(this.#paths, digest),
      join(this.#paths.damaged, `${flatName(digest)}.${randomName()}`),
    ];
    if (!(await moveFile(path, aside))) return;
    const moved = await fileStatus(aside);
    if (moved?.isFile && moved.state !== state) {
      await link(aside, path).catch(unlessExisting);
      await removeFile(aside);
      return;
    }
    this.#paths.warn(`${digest} is damaged (${why}) and was set aside as ${aside}`);
  }

  #look(digest: Digest): ReturnType<typeof fileStatus> {
    return this.#find(digest, () => fileStatus(blobPath(this.#paths, digest)));
  }

  async #open(digest: Digest): Promise<OpenedFile> {
    const path = blobPath(this.#paths, digest);
    const found = await this.#find(digest, () => ifPresent(openRegular(path).then((opened) => ({ opened }))));
    if (found === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `${digest} is not in the store`);
    if (found.opened !== undefined) return found.opened;
    const look = await this.#look(digest);
    if (look !== undefined && !look.isFile) await this.#setAside(digest, "not a regular file", look);
    throw damaged(digest, "not a regular file");
  }

  /**
   * Looks in both places where content can be. While a collection has it in its hands, it goes from one to the other and
   * back, and may be missed in both: so more than once.
   */
  async #find<Found>(digest: Digest, look: () => Promise<Found | undefined>): Promise<Found | undefined> {
    for (let turn = 1; turn <= 5; turn += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await restore(this.#paths, digest);
    }
    return look();
  }

  async *#stream(opened: OpenedFile, { digest, size }: Content): AsyncGenerator<Buffer, void> {
    const { file } = opened;
    try {
      const verifier = new Verifier({ digest, size });
      let held: Buffer | undefined;
      while (!verifier.complete) {
        const chunk = Buffer.allocUnsafe(Math.min(chunkSize, size - verifier.received));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
        if (bytesRead === 0) break;
        if (held !== undefined) yield held;
        held = chunk.subarray(0, bytesRead);
        verifier.update(held);
      }
      await this.#check(verifier, () => undefined, digest, opened);
      if (held !== undefined) yield held;
    } finally {
      await file.close();
    }
  }

  /** Feeds and ends a verifier; what it refuses is damage. */
  async #check(
    verifier: Verifier,
    feed: (verifier: Verifier) => void,
    digest: Digest,
    { state }: OpenedFile,
  ): Promise<void> {
    try {
      feed(verifier);
      verifier.finish();
      this.#trueSizes.note(digest, state);
    } catch (error) {
      if (!isPulleyError(error, "SIZE_MISMATCH", "DIGEST_MISMATCH")) throw error;
      await this.#setAside(digest, error.message, { state });
      throw damaged(digest, error.message);
    }
  }
}

/** @throws PulleyError `BLOB_DAMAGED` before the last bytes if the file has changed meanwhile */
async function* readPart(
  { file, state }: OpenedFile,
  { digest }: Content,
  part: ByteRange,
): AsyncGenerator<Buffer, void> {
  try {
    for (let at = part.first; at <= part.last; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, part.last + 1 - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      at += bytesRead;
      const isLast = bytesRead === 0 || at > part.last;
      if (isLast && (bytesRead === 0 || stateOf(await file.stat()) !== state)) throw damaged(digest, "it has changed");
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function damaged(digest: Digest, why: string): PulleyError {
  return new PulleyError("BLOB_DAMAGED", `${digest} is damaged on disk: ${why}`);
}
