/** Content in containerd, read with the same care as any other: what is not what its digest says is taken out. */
import type { Digest } from "../../image/digest.ts";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import type { VerifyOptions } from "../index.ts";
import type { Content } from "../stored-record.ts";
import { type Info, Content as Service } from "./api/containerd/services/content/content_pb.js";
import { call, headersOf, isStatus, told, unless } from "./daemon.ts";
import { collect } from "./protection.ts";
import type { Site } from "./site.ts";

export class Contents {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Bytes; `undefined` if there is no such content. */
  async size(digest: Digest): Promise<number | undefined> {
    const found = await this.#info(digest);
    return found && Number(found.size);
  }

  /** Whether the content is there in its full size. */
  async has({ digest, size }: Content): Promise<boolean> {
    const found = await this.size(digest);
    if (found === undefined || found === size) return found !== undefined;
    await this.setAside(digest, `${found} bytes instead of ${size}`);
    return false;
  }

  /** @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `TOO_LARGE` */
  async read(digest: Digest, limit: number): Promise<Buffer> {
    const size = await this.#require(digest);
    if (size > limit) {
      throw new PulleyError("TOO_LARGE", `${digest} has ${size} bytes, more than the ${limit} that it may have`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of this.#stream({ digest, size })) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** As {@link Contents.read}; the last chunk comes after everything has been verified. */
  async open(content: Content): Promise<AsyncIterable<Buffer>> {
    const size = await this.#require(content.digest);
    if (size !== content.size) throw await this.#damaged(content.digest, `${size} bytes instead of ${content.size}`);
    return this.#stream(content);
  }

  /** Reads content again from beginning to end: `undefined` if there is none. */
  async check(digest: Digest, pace?: VerifyOptions["pace"]): Promise<"sound" | "damaged" | undefined> {
    try {
      const size = await this.#require(digest);
      const chunks = this.#stream({ digest, size });
      for await (const chunk of chunks) await pace?.(chunk.length);
      return "sound";
    } catch (error) {
      if (isPulleyError(error, "BLOB_DAMAGED")) return "damaged";
      if (isPulleyError(error, "IMAGE_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** Adds labels that are not there; those of others stay. */
  async label(digest: Digest, added: Readonly<Record<string, string>>, lease: string): Promise<void> {
    const found = (await this.#info(digest))?.labels ?? {};
    if (Object.entries(added).every(([key, value]) => found[key] === value)) return;
    const paths = Object.keys(added).map((key) => `labels.${key}`);
    const request = { info: { digest, labels: added }, updateMask: { paths } };
    await call(this.#site.daemon, `label ${digest}`, Service.method.update, request, { lease });
  }

  /**
   * Damaged content is of use to nobody, and as long as it is there nobody fetches it anew. Deleted is only that it is
   * known; the bytes go with the next collection, and until then containerd would take them for what is written anew.
   */
  async setAside(digest: Digest, why: string): Promise<void> {
    await unless(call(this.#site.daemon, `delete ${digest}`, Service.method.delete, { digest }), "NOT_FOUND");
    await collect(this.#site);
    this.#site.warn(`${digest} is damaged (${why}) and was deleted from containerd's content`);
  }

  async #info(digest: Digest): Promise<Info | undefined> {
    const asked = call(this.#site.daemon, `look for ${digest}`, Service.method.info, { digest });
    return (await unless(asked, "NOT_FOUND"))?.info;
  }

  async #require(digest: Digest): Promise<number> {
    const size = await this.size(digest);
    if (size === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `${digest} is not in containerd`);
    return size;
  }

  async *#stream(content: Content): AsyncGenerator<Buffer, void> {
    const { daemon } = this.#site;
    const { digest, size } = content;
    const verifier = new Verifier(content);
    // A size of zero would mean all there is, and of what is empty nothing is sent.
    const answers =
      size === 0
        ? []
        : daemon.channel.serverStream(
            Service.method.read,
            { digest, offset: 0n, size: BigInt(size) },
            { headers: headersOf(daemon) },
          );
    let held: Buffer | undefined;
    try {
      for await (const { data } of answers) {
        if (held !== undefined) yield held;
        held = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        verifier.update(held);
      }
      verifier.finish();
    } catch (error) {
      if (isPulleyError(error, "SIZE_MISMATCH", "DIGEST_MISMATCH")) throw await this.#damaged(digest, error.message);
      // It was known a moment ago: its file is gone, or shorter than it was.
      if (isStatus(error, "NOT_FOUND", "OUT_OF_RANGE")) throw await this.#damaged(digest, errorText(error));
      throw told(`read ${digest}`, error);
    }
    if (held !== undefined) yield held;
  }

  async #damaged(digest: Digest, why: string): Promise<PulleyError> {
    await this.setAside(digest, why);
    return new PulleyError("BLOB_DAMAGED", `${digest} is damaged in containerd's content: ${why}`);
  }
}
