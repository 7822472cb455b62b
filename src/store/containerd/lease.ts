import { open, stat } from "node:fs/promises";
import type { Descriptor, Digest, Manifest } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { verify } from "../../support/verifier.ts";
import { guarded } from "../files.ts";
import { ensureRoom } from "../free-space.ts";
import type { ImageRecord, Ingest, Lease, StoredImage } from "../image-store.ts";
import { beginIngest, leavePart } from "../ingest.ts";
import type { Content } from "../stored-record.ts";
import type { Contents } from "./contents.ts";
import { labels } from "./context.ts";
import type { Protection, Protections } from "./protection.ts";
import { type ContainerdPublication, publish } from "./publish.ts";
import { type Chunks, type WriteTarget, writeContent } from "./write.ts";

export interface ContainerdLeaseDeps extends Omit<ContainerdPublication, "lease"> {
  readonly protections: Protections;
  /** Called after names have changed. */
  readonly onPublished: () => void;
  readonly onReleased: (lease: Lease) => void;
}

/** Bytes handed over at once. */
const chunkSize = 1024 * 1024;

export async function openLease(deps: ContainerdLeaseDeps): Promise<Lease> {
  return new ContainerdLease(deps, await deps.protections.begin());
}

/** What is asked for is put under the lease first and looked for then, so that nothing goes in between. */
class ContainerdLease implements Lease {
  readonly #deps: ContainerdLeaseDeps;
  readonly #protection: Protection;
  readonly #ingests = new Set<Ingest>();
  #released: Promise<void> | undefined;

  constructor(deps: ContainerdLeaseDeps, protection: Protection) {
    this.#deps = deps;
    this.#protection = protection;
  }

  async has(descriptor: Descriptor): Promise<boolean> {
    await this.#protection.keepContent(descriptor.digest);
    const there = await this.#deps.contents.has(descriptor);
    // The lease keeps it, also if another process writes it.
    if (!there) this.#protection.noteContent(descriptor.digest);
    return there;
  }

  async keep(digest: Digest): Promise<void> {
    await this.#protection.keepContent(digest);
    this.#protection.noteContent(digest);
  }

  async put(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    verify(descriptor, bytes);
    await this.#write(descriptor, () => (bytes.byteLength === 0 ? [] : [bytes]));
  }

  ingest(descriptor: Descriptor, scope = ""): Promise<Ingest> {
    return guarded(this.#deps.context.root, async () => {
      const place = (path: string, content: Content) => this.#place(path, content);
      const ingest = await beginIngest(this.#deps.context, place, descriptor, scope);
      this.#ingests.add(ingest);
      return ingest;
    });
  }

  /** Content is received here, and kept and unpacked there: what is unpacked is seldom less than what was received. */
  ensureRoom(bytes: number): Promise<void> {
    const { root, contentRoot, statfs } = this.#deps.context;
    return guarded(root, async () => {
      const same = contentRoot !== undefined && (await isSameFileSystem(root, contentRoot));
      await ensureRoom(root, same ? 3 * bytes : bytes, statfs);
      if (!same && contentRoot !== undefined) await ensureRoom(contentRoot, 2 * bytes, statfs);
    });
  }

  async publish(records: readonly ImageRecord[], manifest?: Manifest): Promise<StoredImage> {
    try {
      return await publish({ ...this.#deps, lease: this.#protection }, records, manifest);
    } finally {
      this.#deps.onPublished();
    }
  }

  release(): Promise<void> {
    this.#released ??= guarded(this.#deps.context.root, async () => {
      this.#deps.onReleased(this);
      for (const ingest of this.#ingests) await ingest.abandon("keep");
      await this.#deps.protections.end(this.#protection);
    });
    return this.#released;
  }

  /**
   * containerd collects content without a name. The file stays here until it has one, so that a pull that fails after
   * some of its layers does not begin from nothing.
   */
  async #place(path: string, content: Content): Promise<void> {
    await this.#write(content, () => chunksOf(path));
    await leavePart(path);
  }

  /** Content is kept by the lease under which it was written, or would have been written had it not been there. */
  async #write(content: Content, chunks: Chunks): Promise<void> {
    const { context, contents } = this.#deps;
    const own = { daemon: context.daemon, lease: this.#protection.id, labels: { [labels.brought]: "true" } };
    const written = await writeContent(own, content, chunks);
    if (!written) await replaceDamaged(contents, this.#protection, own, content, chunks);
    this.#protection.noteContent(content.digest);
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void> {
  const file = await open(path, "r");
  try {
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function isSameFileSystem(one: string, other: string): Promise<boolean> {
  const [here, there] = await Promise.all([one, other].map((path) => stat(path)));
  return here?.dev === there?.dev;
}

// Replaces damaged content.

/**
 * Content that was found to be damaged is read once more and, if it still is, deleted and written anew, with all its
 * labels. Only now, when the right bytes are at hand, and only if Pulley brought it: whatever else is in containerd is not
 * Pulley's to delete.
 * @throws PulleyError `RUNTIME_FAILED` if another program brought the content, or has it in another namespace
 */
async function replaceDamaged(
  contents: Contents,
  lease: Protection,
  writing: WriteTarget,
  content: Content,
  chunks: Chunks,
): Promise<void> {
  const { digest } = content;
  const known = await contents.find(digest);
  if (known !== undefined && (!known.isDamaged || (await contents.check(digest)) === "sound")) return;
  if (known !== undefined && !known.labels[labels.brought]) throw othersDamage(digest, writing.daemon.namespace);
  const { [labels.damaged]: _, ...kept } = known?.labels ?? {};
  // What only this content leads to would be collected with it.
  await lease.keepNeeded(kept);
  await contents.remove(digest);
  await writeContent({ ...writing, labels: Object.assign(kept, writing.labels) }, content, chunks);
  if ((await contents.check(digest)) === "sound") return;
  throw new PulleyError("RUNTIME_FAILED", `${digest} is damaged in containerd's content, in another namespace too`, {
    advice: `Remove it there, too: ctr namespaces ls, then ctr -n NAMESPACE content rm ${digest}.`,
  });
}

function othersDamage(digest: Digest, namespace: string): PulleyError {
  const text = `${digest} is damaged in containerd's content, and another program brought it, so that it is not deleted`;
  return new PulleyError("RUNTIME_FAILED", text, {
    advice: `Remove it with ctr -n ${namespace} content rm ${digest}, then pull the image again.`,
  });
}
