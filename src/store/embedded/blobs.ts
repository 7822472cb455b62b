/** Content under its digest. What is found not to be what its name says is set aside, so that it is fetched anew. */
import type { FileHandle } from "node:fs/promises";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../image/digest.ts";
import { hasErrno } from "../../support/errno.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import { flatName, ifPresent, lookAt, moveFile, openRegular, randomName } from "../files.ts";
import type { VerifyOptions } from "../index.ts";
import type { Content } from "../stored-record.ts";
import { blobFolder, blobPath, type Site } from "./site.ts";
import { restore } from "./trash.ts";

/** Bytes read at once: hashing and reading are fastest from about here. */
const chunkSize = 1024 * 1024;

export class Blobs {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Whether the content is here in its full size. */
  async has({ digest, size }: Content): Promise<boolean> {
    const found = await this.#look(digest);
    if (found === undefined) return false;
    if (found.isFile && found.size === size) return true;
    await this.setAside(digest, found.isFile ? `${found.size} bytes instead of ${size}` : "not a regular file");
    return false;
  }

  /** @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `TOO_LARGE` */
  async read(digest: Digest, limit: number): Promise<Buffer> {
    const { file, size } = await this.#open(digest);
    try {
      if (size > limit) {
        throw new PulleyError("TOO_LARGE", `${digest} has ${size} bytes, more than the ${limit} that it may have`);
      }
      const bytes = await file.readFile();
      await this.#check(new Verifier({ digest, size }), (verifier) => verifier.update(bytes), digest);
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * The content, chunk by chunk. The last chunk comes after everything has been verified, so that no reader takes
   * damaged content for whole.
   * @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, both as soon as they can be known
   */
  async open(content: Content): Promise<AsyncIterable<Buffer>> {
    const { file, size } = await this.#open(content.digest);
    if (size === content.size) return this.#stream(file, content);
    await file.close();
    throw await this.#damaged(content.digest, `${size} bytes instead of ${content.size}`);
  }

  /** Reads content again from beginning to end: `undefined` if there is none. */
  async check(digest: Digest, pace?: VerifyOptions["pace"]): Promise<"sound" | "damaged" | undefined> {
    try {
      const { file, size } = await this.#open(digest);
      const chunks = this.#stream(file, { digest, size });
      for await (const chunk of chunks) await pace?.(chunk.length);
      return "sound";
    } catch (error) {
      if (isPulleyError(error, "BLOB_DAMAGED")) return "damaged";
      if (isPulleyError(error, "IMAGE_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** Makes a verified file the content of a digest. The folder is not synced. */
  async place(path: string, digest: Digest): Promise<void> {
    try {
      await rename(path, blobPath(this.#site, digest));
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
      await mkdir(blobFolder(this.#site, digest), { recursive: true, mode: 0o700 });
      await rename(path, blobPath(this.#site, digest));
    }
  }

  async list(): Promise<Digest[]> {
    const algorithms = await readdir(this.#site.blobs);
    const lists = algorithms.map(async (algorithm) => {
      const names = (await ifPresent(readdir(join(this.#site.blobs, algorithm)))) ?? [];
      return names.map((hex) => `${algorithm}:${hex}`).filter(isDigest);
    });
    return (await Promise.all(lists)).flat();
  }

  async setAside(digest: Digest, why: string): Promise<void> {
    const aside = join(this.#site.damaged, `${flatName(digest)}.${randomName()}`);
    if (await moveFile(blobPath(this.#site, digest), aside)) {
      this.#site.warn(`${digest} is damaged (${why}) and was set aside as ${aside}`);
    }
  }

  #look(digest: Digest): ReturnType<typeof lookAt> {
    return this.#find(digest, () => lookAt(blobPath(this.#site, digest)));
  }

  async #open(digest: Digest): Promise<{ file: FileHandle; size: number }> {
    const path = blobPath(this.#site, digest);
    const found = await this.#find(digest, () => ifPresent(openRegular(path).then((opened) => ({ opened }))));
    if (found === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `${digest} is not in the store`);
    if (found.opened === undefined) throw await this.#damaged(digest, "not a regular file");
    return found.opened;
  }

  /**
   * Looks in both places where content can be. While a collection has it in its hands, it goes from one to the other and
   * back, and may be missed in both: so more than once.
   */
  async #find<Found>(digest: Digest, look: () => Promise<Found | undefined>): Promise<Found | undefined> {
    for (let turn = 1; turn <= 5; turn += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await restore(this.#site, digest);
    }
    return look();
  }

  async *#stream(file: FileHandle, { digest, size }: Content): AsyncGenerator<Buffer, void> {
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
      await this.#check(verifier, () => undefined, digest);
      if (held !== undefined) yield held;
    } finally {
      await file.close();
    }
  }

  /** Feeds and ends a verifier; what it refuses is damage. */
  async #check(verifier: Verifier, feed: (verifier: Verifier) => void, digest: Digest): Promise<void> {
    try {
      feed(verifier);
      verifier.finish();
    } catch (error) {
      if (!isPulleyError(error, "SIZE_MISMATCH", "DIGEST_MISMATCH")) throw error;
      throw await this.#damaged(digest, error.message);
    }
  }

  async #damaged(digest: Digest, why: string): Promise<PulleyError> {
    await this.setAside(digest, why);
    return new PulleyError("BLOB_DAMAGED", `${digest} is damaged on disk: ${why}`);
  }
}
