/** Unpacks layers to snapshots: containerd unpacks each on those below it, and we verify the result. */
import type { Descriptor, Digest, ImageConfig, Manifest } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { randomName } from "../files.ts";
import { Diff } from "./api/containerd/services/diff/diff_pb.js";
import { Snapshots } from "./api/containerd/services/snapshots/snapshots_pb.js";
import { chainIds } from "./chain-ids.ts";
import type { Contents } from "./contents.ts";
import { type ContainerdContext, labels } from "./context.ts";
import { call, unless } from "./daemon.ts";
import type { Protection } from "./protection.ts";

/** Milliseconds that a layer may take: tens of gigabytes on a slow disk. */
const longestUnpacking = 60 * 60_000;

interface LayerToUnpack {
  readonly layer: Descriptor;
  readonly diffId: Digest;
  readonly chain: Digest;
  /** The chain below; empty for the lowest layer. */
  readonly parent: Digest | "";
}

/** Unpacks images. Those that share layers, and come at the same time, unpack these once. */
export class Unpacker {
  readonly #context: ContainerdContext;
  readonly #contents: Contents;
  readonly #underway = new Map<Digest, Promise<void>>();

  constructor(context: ContainerdContext, contents: Contents) {
    this.#context = context;
    this.#contents = contents;
  }

  /**
   * Ends when all layers are unpacked and under the lease; the topmost chain, `undefined` for an image without layers.
   * @throws PulleyError `DIGEST_MISMATCH` if a layer is not what the config says, `RUNTIME_FAILED`, `DISK_FULL`
   */
  async unpack(manifest: Manifest, config: ImageConfig, lease: Protection): Promise<Digest | undefined> {
    const steps = stepsOf(manifest, config);
    const top = steps.at(-1)?.chain;
    if (top === undefined || (await this.#isThere(top, lease))) return top;
    for (const step of steps) await this.#require(step, lease);
    return top;
  }

  async #require(step: LayerToUnpack, lease: Protection): Promise<void> {
    while (!(await this.#isThere(step.chain, lease))) {
      const others = this.#underway.get(step.chain);
      if (others !== undefined) {
        // The other call may have failed for a reason of its own: then we try.
        await others.catch(() => undefined);
        continue;
      }
      const own = this.#apply(step, lease).finally(() => this.#underway.delete(step.chain));
      this.#underway.set(step.chain, own);
      await own;
    }
  }

  /** What is found is kept, and then looked for again: so it stays. */
  async #isThere(chain: Digest, lease: Protection): Promise<boolean> {
    if (lease.keepsSnapshot(chain)) return true;
    if (!(await this.#stat(chain))) return false;
    await lease.keepSnapshot(chain);
    return this.#stat(chain);
  }

  async #stat(chain: Digest): Promise<boolean> {
    const { daemon, snapshotter } = this.#context;
    const request = { snapshotter, key: chain };
    const found = await unless(call(daemon, `look for snapshot ${chain}`, Snapshots.method.stat, request), "NOT_FOUND");
    return found !== undefined;
  }

  /** What is made under a lease is kept by it. Another process may have been faster: then nothing has been made here. */
  async #apply({ layer, diffId, chain, parent }: LayerToUnpack, lease: Protection): Promise<void> {
    const { daemon, snapshotter } = this.#context;
    const key = `pulley-${randomName()} ${chain}`;
    const under = { lease: lease.id };
    const doing = `unpack the layer ${layer.digest}`;
    const { mounts } = await call(daemon, doing, Snapshots.method.prepare, { snapshotter, key, parent }, under);
    try {
      const diff = { mediaType: layer.mediaType, digest: layer.digest, size: BigInt(layer.size) };
      const settings = { ...under, timeout: longestUnpacking };
      const { applied } = await call(daemon, doing, Diff.method.apply, { diff, mounts }, settings);
      if (applied?.digest !== diffId) throw notWhatWasSaid(layer, diffId, applied?.digest);
      const commit = call(daemon, doing, Snapshots.method.commit, { snapshotter, name: chain, key }, under);
      const done = await unless(commit, "ALREADY_EXISTS");
      if (done === undefined) await this.#drop(key);
      else lease.noteSnapshot(chain);
      await this.#contents.label(layer.digest, { [labels.uncompressed]: diffId }, lease.id);
    } catch (error) {
      await this.#drop(key);
      throw error;
    }
  }

  /** What cannot be removed now goes with the lease. */
  async #drop(key: string): Promise<void> {
    const { daemon, snapshotter } = this.#context;
    await call(daemon, "remove a snapshot", Snapshots.method.remove, { snapshotter, key }).catch(() => undefined);
  }
}

function stepsOf(manifest: Manifest, { diffIds }: ImageConfig): readonly LayerToUnpack[] {
  const chains = chainIds(diffIds);
  return manifest.layers.flatMap((layer, at) => {
    const [diffId, chain] = [diffIds[at], chains[at]];
    return diffId === undefined || chain === undefined ? [] : [{ layer, diffId, chain, parent: chains[at - 1] ?? "" }];
  });
}

function notWhatWasSaid({ digest }: Descriptor, expected: Digest, found: string | undefined): PulleyError {
  return new PulleyError(
    "DIGEST_MISMATCH",
    `the layer ${digest} unpacks to ${found ?? "nothing"}, but the image's config says ${expected}`,
  );
}
