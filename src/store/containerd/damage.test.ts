/** Content in containerd that is not what it should be: found by reading it, and replaced only where it is Pulley's own. */

import { mkdtemp, rm, truncate, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { leaveDamaged } from "../../../test/bytes-on-disk.ts";
import { type State, stateOf, unfinished } from "../../../test/injection/state.ts";
import {
  type Containerd,
  containerdTools,
  describeWith,
  requiredTool,
  run,
  startContainerd,
} from "../../../test/tools.ts";
import { type Descriptor, ociLayer } from "../../image/index.ts";
import { collectStream, expectFailure } from "../contract/expectations.ts";
import type { ImageStore } from "../image-store.ts";
import { type Blob, blobOf, bring, pullSample, recordOf, sampleImage } from "../testing/sample-image.ts";
import { connect } from "./daemon.ts";
import { openContainerdStore } from "./index.ts";
import { writeContent } from "./write.ts";

const platform = { os: "linux", architecture: "amd64", variant: "" };
const name = "registry.test/team/app:1";
const pause = "pulley.test/pause:1";

const spoilings: readonly [string, (path: string) => Promise<unknown>][] = [
  ["changed", (path) => run(requiredTool("sed"), ["-i", "1s/./x/3", path])],
  ["cut off", (path) => truncate(path, 100)],
  ["gone", (path) => unlink(path)],
];

describeWith(containerdTools, "damaged content in containerd", () => {
  let folder: string;
  let containerd: Containerd;
  let store: ImageStore;
  let warnings: string[];
  let before: State;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-damage-"));
  });
  beforeEach(async () => {
    // Another one each time: what is damaged here stays so.
    containerd = await startContainerd();
    warnings = [];
    store = await openContainerdStore({
      socket: containerd.socket,
      root: await mkdtemp(join(folder, "root-")),
      platform,
      warn: (message) => warnings.push(message),
    });
    before = await stateOf(containerd);
  });
  afterEach(async () => {
    await store.close();
    await expectFinished(containerd);
    await containerd.stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const pathOf = ({ digest }: Pick<Descriptor, "digest">): string =>
    join(containerd.folder, "root/io.containerd.content.v1.content/blobs", digest.replace(":", "/"));

  const damagedOnes = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { digest, state } of store.verify()) if (state !== "sound") found.push(`${state} ${digest}`);
    return found;
  };

  /** What the image that ctr imported consists of. */
  const partsOfPause = async (): Promise<readonly Descriptor[]> => {
    const { manifest, id } = (await store.image(pause)) ?? expect.unreachable();
    const document = JSON.parse((await store.read(manifest.digest, 100_000)).toString()) as { layers: Descriptor[] };
    const config = { ...manifest, digest: id, size: (await store.read(id, 100_000)).length };
    return [manifest, config, ...document.layers];
  };

  test.each(spoilings)("whose file is %s is found, stays, and is replaced by the next pull", async (_, spoil) => {
    const image = sampleImage("spoiled", { docker: true });
    await pullSample(store, image, [name], "index");
    const whole = await stateOf(containerd);
    const [layer] = image.layers;
    if (layer === undefined) expect.unreachable();
    for (const { descriptor } of [image.index, image.manifest, image.config, layer]) {
      await spoil(pathOf(descriptor));
      expect(await damagedOnes()).toEqual([`damaged ${descriptor.digest}`]);
      expect(await stateOf(containerd)).toEqual(whole);
      expect(warnings.splice(0)).toEqual([expect.stringContaining(`${descriptor.digest} is damaged`)]);
      const lease = await store.lease();
      expect(await lease.has(descriptor)).toBe(false);
      await bring(lease, image);
      await lease.publish([recordOf(image, name, "index")]);
      await lease.release();
      expect(await damagedOnes()).toEqual([]);
      expect(await stateOf(containerd)).toEqual(whole);
    }
    await store.remove(image.id);
    expect(await stateOf(containerd)).toEqual(before);
  });

  test("that another process found is not taken for sound by the next", async () => {
    const image = sampleImage("told");
    await pullSample(store, image, [name]);
    const [layer] = image.layers;
    if (layer === undefined) expect.unreachable();
    await truncate(pathOf(layer.descriptor), 100);
    await expectFailure(collectStream(await store.open(layer.descriptor)), "BLOB_DAMAGED");
    const other = await openContainerdStore({
      socket: containerd.socket,
      root: await mkdtemp(join(folder, "root-")),
      platform,
    });
    const lease = await other.lease();
    expect(await lease.has(layer.descriptor)).toBe(false);
    await other.close();
    await store.remove(image.id);
  });

  test.each(spoilings)(
    "that another program brought, and whose file is %s, is named and left alone",
    async (_, spoil) => {
      const [, , layer] = await partsOfPause();
      if (layer === undefined) expect.unreachable();
      const bytes = await collectStream(await store.open(layer));
      await spoil(pathOf(layer));
      expect(await damagedOnes()).toEqual([`damaged ${layer.digest}`]);
      const lease = await store.lease();
      expect(await lease.has(layer)).toBe(false);
      const advice = expect.stringContaining(`ctr -n k8s.io content rm ${layer.digest}`);
      await expect(lease.put(layer, bytes)).rejects.toMatchObject({ code: "RUNTIME_FAILED", advice });
      await lease.release();
      expect(await stateOf(containerd)).toEqual(before);
      leaveDamaged(join(containerd.folder, "root"));
    },
  );

  test("that another program has put right is taken again", async () => {
    const [manifest, , layer] = await partsOfPause();
    if (layer === undefined || manifest === undefined) expect.unreachable();
    const bytes = await collectStream(await store.open(layer));
    await unlink(pathOf(layer));
    expect(await damagedOnes()).toEqual([`damaged ${layer.digest}`]);
    const daemon = connect(containerd.socket, "k8s.io");
    await containerd.ctr(["leases", "create", "--id", "mending"]);
    await containerd.ctr(["content", "rm", layer.digest]);
    await containerd.ctr(["leases", "create", "--id", "collected"]);
    await containerd.ctr(["leases", "rm", "--sync", "collected"]);
    await writeContent({ daemon, lease: "mending", labels: {} }, layer, () => [bytes]);
    daemon.channel.close();
    expect(await damagedOnes()).toEqual([]);
    const lease = await store.lease();
    expect(await lease.has(layer)).toBe(true);
    await lease.release();
    await containerd.ctr(["leases", "rm", "mending"]);
  });

  test("is not what a wrong size makes of content that another program brought", async () => {
    for (const part of await partsOfPause()) {
      for (const size of [0, part.size - 1, part.size + 1, 2 ** 40]) {
        const lease = await store.lease();
        await expectFailure(lease.has({ ...part, size }), "SIZE_MISMATCH");
        await expectFailure(store.open({ ...part, size }), "SIZE_MISMATCH");
        await lease.release();
      }
    }
    expect(warnings).toEqual([]);
    expect(await damagedOnes()).toEqual([]);
    expect(await stateOf(containerd)).toEqual(before);
  });

  test("is not what is handed over, in pieces of whatever length, all in the same memory", async () => {
    const daemon = connect(containerd.socket, "k8s.io");
    await containerd.ctr(["leases", "create", "--id", "handing-over"]);
    const writing = { daemon, lease: "handing-over", labels: {} };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 1_500_000 })), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.nat(),
        async (lengths, seed) => {
          const size = lengths.reduce((sum, length) => sum + length, 0);
          const blob = blobOf(ociLayer, Buffer.alloc(size, `content ${seed} of an odd length`));
          await writeContent(writing, blob.descriptor, () => inOneBlock(blob, lengths));
          const stored = await collectStream(await store.open(blob.descriptor));
          expect(stored.equals(blob.bytes)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
    daemon.channel.close();
    await containerd.ctr(["leases", "rm", "--sync", "handing-over"]);
  });
});

async function expectFinished(containerd: Containerd): Promise<void> {
  expect(unfinished(await stateOf(containerd))).toEqual([]);
}

async function* inOneBlock({ bytes }: Blob, lengths: readonly number[]): AsyncGenerator<Uint8Array, void> {
  const block = Buffer.alloc(Math.max(...lengths));
  let at = 0;
  for (const length of lengths) {
    const piece = block.subarray(0, length);
    bytes.copy(piece, 0, at);
    at += length;
    yield piece;
    piece.fill(0xee);
  }
}
