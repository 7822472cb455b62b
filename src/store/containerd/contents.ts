/**
 * Content in containerd, read with the same care as any other. What is not what its digest says is marked, not deleted:
 * it may be another program's. It counts as missing from then on, and who has the right bytes may replace it.
 */
import type { Digest } from "../../image/index.ts";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import type { VerifyOptions } from "../image-store.ts";
import type { Content } from "../stored-record.ts";
import { type SeenContent, TrueSizes, wrongSize } from "../true-sizes.ts";
import { type Info, Content as Service } from "./api/containerd/services/content/content_pb.js";
import { type ContainerdContext, labels } from "./context.ts";
import { call, headersOf, isStatus, unless, withContext } from "./daemon.ts";
import { collect } from "./protection.ts";

/** Content as containerd knows it; the size is that of the bytes when they came. */
interface ContentInfo extends SeenContent {
  readonly labels: Readonly<Record<string, string>>;
  readonly isDamaged: boolean;
}

export class Contents {
  readonly #context: ContainerdContext;
  readonly #trueSizes = new TrueSizes((digest) => this.check(digest));

  constructor(context: ContainerdContext) {
    this.#context = context;
  }

  /** Bytes; `undefined` if there is no such content. */
  async size(digest: Digest): Promise<number | undefined> {
    return (await this.find(digest))?.size;
  }

  async find(digest: Digest): Promise<ContentInfo | undefined> {
    const asked = call(this.#context.daemon, `look for ${digest}`, Service.method.info, { digest });
    const info = (await unless(asked, "NOT_FOUND"))?.info;
    return info && knownFrom(info);
  }

  /**
   * Whether the content is there in its full size, and nothing is known to be wrong with it.
   * @throws PulleyError `SIZE_MISMATCH` if it is there, is sound, and has another size
   */
  async has(content: Content): Promise<boolean> {
    const { digest, size } = content;
    const found = await this.find(digest);
    if (found === undefined || found.isDamaged) return false;
    const actual = found.size === size ? size : await this.#trueSize(digest);
    if (actual === undefined || actual === size) return actual === size;
    throw wrongSize(content, actual);
  }

  /** @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED`, `TOO_LARGE` */
  async read(digest: Digest, limit: number): Promise<Buffer> {
    const known = await this.#require(digest);
    const { size } = known;
    if (size > limit) {
      throw new PulleyError("TOO_LARGE", `${digest} has ${size} bytes, more than the ${limit} that it may have`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of this.#stream(digest, known)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** As {@link Contents.read}; the last chunk comes after everything has been verified. @throws PulleyError `SIZE_MISMATCH` too */
  async open(content: Content): Promise<AsyncIterable<Buffer>> {
    const { digest, size } = content;
    const known = await this.#require(digest);
    if (known.size === size) return this.#stream(digest, known);
    const actual = await this.#trueSize(digest);
    if (actual === undefined) throw damaged(digest, `${known.size} bytes instead of ${size}`);
    if (actual !== size) throw wrongSize(content, actual);
    return this.open(content);
  }

  /** Reads content again from beginning to end: `undefined` if there is none. */
  async check(digest: Digest, pace?: VerifyOptions["pace"]): Promise<"sound" | "damaged" | undefined> {
    try {
      const chunks = this.#stream(digest, await this.#require(digest));
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
    const found = (await this.find(digest))?.labels ?? {};
    if (Object.entries(added).every(([key, value]) => found[key] === value)) return;
    const paths = Object.keys(added).map((key) => `labels.${key}`);
    const request = { info: { digest, labels: added }, updateMask: { paths } };
    await call(this.#context.daemon, `label ${digest}`, Service.method.update, request, { lease });
  }

  /**
   * Makes room for the right bytes of content. Deleted is only that it is known; the bytes go with the collection, and
   * until then containerd would take them for what is written anew.
   */
  async remove(digest: Digest): Promise<void> {
    await unless(call(this.#context.daemon, `delete ${digest}`, Service.method.delete, { digest }), "NOT_FOUND");
    await collect(this.#context);
  }

  /** The size of content that is sound; `undefined` if it is damaged or gone. */
  #trueSize(digest: Digest): Promise<number | undefined> {
    return this.#trueSizes.of(digest, () => this.find(digest));
  }

  async #require(digest: Digest): Promise<ContentInfo> {
    const known = await this.find(digest);
    if (known === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `${digest} is not in containerd`);
    return known;
  }

  async *#stream(digest: Digest, known: ContentInfo): AsyncGenerator<Buffer, void> {
    const { daemon } = this.#context;
    const { size } = known;
    const verifier = new Verifier({ digest, size });
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
      this.#trueSizes.note(digest, known.state);
    } catch (error) {
      if (isPulleyError(error, "SIZE_MISMATCH", "DIGEST_MISMATCH"))
        throw await this.#mark(digest, known, error.message);
      // It was known a moment ago: its file is gone, or shorter than it was.
      if (isStatus(error, "NOT_FOUND", "OUT_OF_RANGE")) throw await this.#mark(digest, known, errorText(error));
      throw withContext(`read ${digest}`, error);
    }
    if (known.isDamaged) await this.#note(digest, "");
    if (held !== undefined) yield held;
  }

  /** So that other processes know, too. */
  async #mark(digest: Digest, { isDamaged }: ContentInfo, why: string): Promise<PulleyError> {
    if (!isDamaged) {
      await this.#note(digest, "found");
      this.#context.warn(`${digest} is damaged in containerd's content (${why})`);
    }
    return damaged(digest, why);
  }

  /** An empty value takes the mark away. */
  async #note(digest: Digest, mark: string): Promise<void> {
    const request = { info: { digest, labels: { [labels.damaged]: mark } } };
    const updateMask = { paths: [`labels.${labels.damaged}`] };
    const asked = call(this.#context.daemon, `mark ${digest}`, Service.method.update, { ...request, updateMask });
    await unless(asked, "NOT_FOUND");
  }
}

function knownFrom({ size, createdAt, labels: own }: Info): ContentInfo {
  const state = `${size} ${createdAt?.seconds} ${createdAt?.nanos}`;
  return { size: Number(size), state, labels: own, isDamaged: Boolean(own[labels.damaged]) };
}

function damaged(digest: Digest, why: string): PulleyError {
  return new PulleyError("BLOB_DAMAGED", `${digest} is damaged in containerd's content: ${why}`, {
    advice: "Pull the image again: the damaged blob will be fetched anew.",
  });
}
