/** What is unpacked is what was said, is unpacked once, and leaves nothing where it fails. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type State, stateOf, unfinished } from "../../../test/injection/state.ts";
import { type Containerd, containerdTools, describeWith, run, startContainerd } from "../../../test/tools.ts";
import { ociConfig, ociLayer, ociManifest } from "../../image/index.ts";
import { expectFailure } from "../contract/expectations.ts";
import type { ImageStore } from "../image-store.ts";
import {
  type Blob,
  blobOf,
  layerWith,
  pullSample,
  receive,
  type SampleImage,
  sampleImage,
} from "../testing/sample-image.ts";
import { openContainerdStore } from "./index.ts";

const platform = { os: "linux", architecture: "amd64", variant: "" };
const name = "registry.test/team/app:1";

describeWith(containerdTools, "publishing in containerd", () => {
  let folder: string;
  let containerd: Containerd;
  let store: ImageStore;
  let before: State;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-publish-"));
    containerd = await startContainerd();
  });
  beforeEach(async () => {
    store = await openContainerdStore({
      socket: containerd.socket,
      root: await mkdtemp(join(folder, "root-")),
      platform,
    });
    before = await stateOf(containerd);
  });
  afterEach(async () => {
    await store.close();
    await expectFinished(containerd);
  });
  afterAll(async () => {
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Brings an image in, and answers with the failure of its publication. */
  const expectRefusal = async (image: SampleImage, code: Parameters<typeof expectFailure>[1]): Promise<void> => {
    await expectFailure(pullSample(store, image, [name], "index"), code);
    expect(await stateOf(containerd)).toEqual(before);
  };

  test("refuses a layer that is not the one that the config describes", async () => {
    const image = sampleImage("honest");
    const other = blobOf(ociLayer, layerWith("another"));
    await expectRefusal(withParts(image, { layers: [image.layers[0] ?? other, other] }), "DIGEST_MISMATCH");
  });

  test.each([1, 3])("refuses an image of %i layers of which the config describes two", async (count) => {
    const image = sampleImage("counted");
    const layers = Array.from({ length: count }, (_, at) => image.layers[at] ?? blobOf(ociLayer, layerWith(`${at}`)));
    await expectRefusal(withParts(image, { layers }), "MANIFEST_INVALID");
  });

  test.each<[string, Buffer]>([
    ["is no archive", Buffer.from("not at all an archive".repeat(100))],
    ["ends in the middle", gzipSync(layerWith(randomBytes(100_000))).subarray(0, 50_000)],
  ])("fails for a layer that %s", async (_, bytes) => {
    await expectRefusal(
      withParts(sampleImage("damaged"), { layers: [blobOf(`${ociLayer}+gzip`, bytes)], diffIds: [bytes] }),
      "RUNTIME_FAILED",
    );
  });

  test("says of a failure that it is containerd's, and in which layer", async () => {
    const broken = blobOf(`${ociLayer}+gzip`, Buffer.from("not at all an archive".repeat(100)));
    const image = withParts(sampleImage("told"), { layers: [broken], diffIds: [broken.bytes] });
    await expect(pullSample(store, image, [name])).rejects.toThrow(
      `Pulley could not have containerd unpack the layer ${broken.descriptor.digest}: ${containerd.socket}: `,
    );
  });

  test.each(["org.criu.checkpoint.container.name", "io.kubernetes.cri-o.annotations.checkpoint.name"])(
    "refuses a checkpoint of a container, known by %s",
    async (key) => {
      await expectRefusal(withParts(sampleImage("checkpoint"), { annotations: { [key]: "victim" } }), "NOT_AN_IMAGE");
    },
  );

  test("refuses an image whose volume lies outside of the container", async () => {
    const config = { Volumes: { "/../../etc": {} } };
    await expectRefusal(
      withParts(sampleImage("volume"), {
        config,
        diffIds: [layerWith("lower layer of volume"), layerWith("upper layer of volume")],
      }),
      "MANIFEST_INVALID",
    );
  });

  test("unpacks layers once that many images share, however many come at once", async () => {
    const [base, middle] = [layerWith("base"), layerWith("middle")];
    const images = [1, 2, 3, 4, 5].map((own) =>
      sampleImage(`shared ${own}`, { layers: [base, middle, layerWith(`own ${own}`)] }),
    );
    await Promise.all(images.map((image, at) => pullSample(store, image, [`registry.test/shared:${at}`])));
    const { snapshots } = await stateOf(containerd);
    expect(snapshots.length - before.snapshots.length).toBe(2 + images.length);
    for (const image of images) await store.remove(image.id);
    expect(await stateOf(containerd)).toEqual(before);
  });

  test("does not fetch layers again that came whole before a pull failed", async () => {
    const image = sampleImage("failed");
    const [layer] = image.layers;
    if (layer === undefined) expect.unreachable();
    const first = await store.lease();
    const begun = await first.ingest(layer.descriptor);
    await receive(begun, layer.bytes);
    await begun.commit();
    await first.release();
    expect(await stateOf(containerd)).toEqual(before);
    const second = await store.lease();
    const again = await second.ingest(layer.descriptor);
    expect(again.received).toBe(layer.bytes.length);
    await again.commit();
    expect(await second.has(layer.descriptor)).toBe(true);
    await second.release();
  });

  test("content is kept by every lease under which it came, though it is written once", async () => {
    const { config } = sampleImage("kept twice");
    const leases = await Promise.all([store.lease(), store.lease()]);
    for (const lease of leases) await lease.put(config.descriptor, config.bytes);
    await leases[0]?.release();
    expect(await store.read(config.descriptor.digest, 10_000)).toEqual(config.bytes);
    await leases[1]?.release();
    await expectFailure(store.read(config.descriptor.digest, 10_000), "IMAGE_NOT_FOUND");
  });

  test("content that a lease waits for is kept as soon as it comes", async () => {
    const { config } = sampleImage("awaited");
    const [waiting, bringing] = [await store.lease(), await store.lease()];
    expect(await waiting.has(config.descriptor)).toBe(false);
    await bringing.put(config.descriptor, config.bytes);
    await bringing.release();
    expect(await waiting.has(config.descriptor)).toBe(true);
    await waiting.release();
  });
});

describeWith([...containerdTools, "mount", "umount"], "a full disk under containerd", (programs) => {
  test.skipIf(process.getuid?.() !== 0)("fails a pull as such, and leaves room for the next", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pulley-full-"));
    const disk = join(folder, "disk");
    await mkdir(disk);
    await run(programs.mount, ["-t", "tmpfs", "-o", "size=32m", "tmpfs", disk]);
    const containerd = await startContainerd({ root: disk });
    const store = await openContainerdStore({ socket: containerd.socket, root: join(folder, "pulley"), platform });
    try {
      const before = await stateOf(containerd);
      const large = sampleImage("large", { layers: [layerWith(randomBytes(40_000_000))] });
      await expectFailure(pullSample(store, large, [name]), "DISK_FULL");
      expect(await stateOf(containerd)).toEqual(before);
      const swelling = sampleImage("swelling", { layers: [layerWith(Buffer.alloc(40_000_000))], docker: true });
      await expectFailure(pullSample(store, swelling, [name]), "DISK_FULL");
      expect(await stateOf(containerd)).toEqual(before);
      const lease = await store.lease();
      await expectFailure(lease.ensureRoom(30_000_000), "DISK_FULL");
      await lease.release();
      const small = sampleImage("small");
      await pullSample(store, small, [name]);
      expect((await store.image(name))?.id).toBe(small.id);
    } finally {
      await store.close();
      await containerd.stop();
      await run(programs.umount, [disk]);
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function expectFinished(containerd: Containerd): Promise<void> {
  expect(unfinished(await stateOf(containerd))).toEqual([]);
}

interface Parts {
  readonly layers?: readonly Blob[];
  /** Contents whose digests the config gives as those of the layers. */
  readonly diffIds?: readonly Buffer[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The section of the config that containers start with. */
  readonly config?: object;
}

/** The image with some of its parts replaced, and the rest of it fitting, as who wants to do harm would have it. */
function withParts(
  image: SampleImage,
  { layers = image.layers, diffIds, annotations, config: section = {} }: Parts,
): SampleImage {
  const config = diffIds === undefined ? image.config : blobOf(ociConfig, configWith(diffIds, section));
  const document = {
    schemaVersion: 2,
    mediaType: ociManifest,
    annotations,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const manifest = blobOf(ociManifest, Buffer.from(JSON.stringify(document)));
  const entry = { ...manifest.descriptor, platform: { os: "linux", architecture: "amd64" } };
  const index = { schemaVersion: 2, mediaType: image.index.descriptor.mediaType, manifests: [entry] };
  return {
    ...image,
    id: config.descriptor.digest,
    index: blobOf(image.index.descriptor.mediaType, Buffer.from(JSON.stringify(index))),
    manifest,
    config,
    layers,
  };
}

function configWith(contents: readonly Buffer[], config: object): Buffer {
  const diff_ids = contents.map((bytes) => blobOf(ociLayer, bytes).descriptor.digest);
  return Buffer.from(
    JSON.stringify({ os: "linux", architecture: "amd64", config, rootfs: { type: "layers", diff_ids } }),
  );
}
