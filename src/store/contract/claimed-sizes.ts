/** A size is part of what somebody says of content. Whoever says a wrong one is refused, and takes nothing away. */
import { expect, test } from "vitest";
import type { Descriptor } from "../../image/index.ts";
import type { ImageStore } from "../image-store.ts";
import {
  bring,
  pullSample,
  receive,
  recordOf,
  type SampleImage,
  sampleImage,
  withDocument,
} from "../testing/sample-image.ts";
import { collectStream, expectFailure, nginx, type OpenStore, statesOf } from "./expectations.ts";

const stranger = "registry.test/stranger/app:1";

/** Sizes that content of `size` bytes does not have. */
const wrongSizes: readonly [string, (size: number) => number][] = [
  ["one byte less", (size) => size - 1],
  ["one byte more", (size) => size + 1],
  ["nothing", () => 0],
  ["a tebibyte", () => 2 ** 40],
];

export function describeClaims(openStore: OpenStore): void {
  const good = sampleImage("claimed");

  async function storeWithImage(): Promise<ImageStore> {
    const store = await openStore();
    await pullSample(store, good, [`${nginx}:1`], "index");
    return store;
  }

  /** Everything of the image is still there, as it was. */
  async function expectWhole(store: ImageStore): Promise<void> {
    expect((await store.image(`${nginx}:1`))?.id).toBe(good.id);
    expect(await statesOf(store)).toEqual(["sound"]);
    for (const { descriptor, bytes } of [good.index, good.manifest, good.config, ...good.layers]) {
      expect(await store.read(descriptor.digest, 1_000_000)).toEqual(bytes);
    }
  }

  const partOf: readonly [string, (image: SampleImage) => Descriptor][] = [
    ["a layer", ({ layers }) => layers[0]?.descriptor ?? expect.unreachable()],
    ["a config", ({ config }) => config.descriptor],
    ["a manifest", ({ manifest }) => manifest.descriptor],
    ["an index", ({ index }) => index.descriptor],
  ];
  const cases = partOf.flatMap(([part, choose]) =>
    wrongSizes.map(([text, change]) => ({ part, text, choose, change })),
  );

  test.each(cases)("$part that is named with $text instead of its size is not taken for damaged", async (named) => {
    const store = await storeWithImage();
    const own = named.choose(good);
    const claim = { ...own, size: named.change(own.size) };
    const lease = await store.lease();
    const refusal = {
      code: "SIZE_MISMATCH",
      message: expect.stringMatching(new RegExp(`${own.digest}.*\\b${own.size}\\b.*\\b${claim.size}\\b`)),
    };
    await expect(lease.has(claim)).rejects.toMatchObject(refusal);
    await expect(store.open(claim)).rejects.toMatchObject(refusal);
    await expectWhole(store);
    expect(await lease.has(own)).toBe(true);
    await lease.release();
    await expectWhole(store);
  });

  test("content that no name has yet is not lost to a wrong size either", async () => {
    const store = await openStore();
    const { config } = sampleImage("coming");
    const lease = await store.lease();
    await lease.put(config.descriptor, config.bytes);
    const other = await store.lease();
    const claims = [1, 2, 3].map((more) => ({ ...config.descriptor, size: config.descriptor.size + more }));
    const outcomes = await Promise.allSettled(claims.map((claim) => other.has(claim)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "SIZE_MISMATCH" } });
    }
    expect(await lease.has(config.descriptor)).toBe(true);
    expect(await store.read(config.descriptor.digest, 10_000)).toEqual(config.bytes);
    await Promise.all([lease.release(), other.release()]);
  });

  test("content that is not here has no size to be compared with", async () => {
    const store = await openStore();
    const { descriptor } = sampleImage("absent").config;
    const lease = await store.lease();
    expect(await lease.has({ ...descriptor, size: descriptor.size + 1 })).toBe(false);
    await lease.release();
  });

  const [layer, upper] = good.layers.map(({ descriptor }) => descriptor);
  if (layer === undefined || upper === undefined) expect.unreachable();
  const strangers: readonly [string, Descriptor][] = [
    ["a layer", { ...layer, size: layer.size + 1 }],
    ["a config as a layer", { ...layer, digest: good.id, size: 5 }],
    ["a manifest as a layer", { ...layer, digest: good.manifest.descriptor.digest, size: 5 }],
  ];
  test.each(strangers)("an image that names %s of another one with a wrong size is refused", async (_, claim) => {
    const store = await storeWithImage();
    const evil = withDocument(sampleImage("evil"), { layers: [upper, claim] });
    const lease = await store.lease();
    for (const { descriptor, bytes } of [evil.config, evil.manifest]) await lease.put(descriptor, bytes);
    await expectFailure(lease.publish([recordOf(evil, stranger)]), "SIZE_MISMATCH");
    await lease.release();
    expect(await store.image(stranger)).toBeUndefined();
    await expectWhole(store);
  });

  test("an image that names its own config with two sizes is refused", async () => {
    const store = await storeWithImage();
    const image = sampleImage("evil");
    const { descriptor } = image.config;
    const evil = withDocument(image, { layers: [layer, { ...layer, digest: descriptor.digest, size: 5 }] });
    const lease = await store.lease();
    for (const { descriptor: own, bytes } of [evil.config, evil.manifest]) await lease.put(own, bytes);
    await expectFailure(lease.publish([recordOf(evil, stranger)]), "MANIFEST_INVALID");
    await lease.release();
    await expectWhole(store);
  });

  test.each(["target", "manifest"] as const)("a name whose %s has a wrong size is refused", async (which) => {
    const store = await storeWithImage();
    const right = recordOf(good, stranger, "index");
    const wrong = { ...right, [which]: { ...right[which], size: right[which].size + 1 } };
    const lease = await store.lease();
    await expectFailure(lease.publish([wrong]), "SIZE_MISMATCH");
    await expectFailure(
      lease.publish([{ ...recordOf(good, stranger), target: { ...right.manifest, size: 1 } }]),
      "SIZE_MISMATCH",
    );
    await lease.release();
    expect(await store.image(stranger)).toBeUndefined();
    await expectWhole(store);
  });

  test("what was received of content stays, whoever comes for it with a wrong size", async () => {
    const store = await openStore();
    const image = sampleImage("begun");
    const { descriptor, bytes } = image.layers[0] ?? expect.unreachable();
    const first = await store.lease();
    const begun = await first.ingest(descriptor);
    await receive(begun, bytes, 700);
    await begun.abandon("keep");
    for (const size of [1, descriptor.size - 1, descriptor.size + 1]) {
      const other = await first.ingest({ ...descriptor, size });
      expect(other.received).toBe(0);
      await other.abandon("discard");
    }
    expect((await first.ingest(descriptor)).received).toBe(700);
    await first.release();
  });

  test("what was received for a repository is neither given to another nor spoiled by it", async () => {
    const store = await openStore();
    const { descriptor, bytes } = sampleImage("begun for one").layers[0] ?? expect.unreachable();
    const lease = await store.lease();
    const begun = await lease.ingest(descriptor, "registry.test/own");
    await receive(begun, bytes);
    await begun.abandon("keep");
    for (const scope of [undefined, "registry.test/other"]) {
      const other = await lease.ingest(descriptor, scope);
      expect(other.received).toBe(0);
      await other.abandon("discard");
    }
    expect((await lease.ingest(descriptor, "registry.test/own")).received).toBe(bytes.length);
    await lease.release();
  });

  test("content comes anew through the same lease after a wrong claim", async () => {
    const store = await openStore();
    const image = sampleImage("anew");
    const lease = await store.lease();
    const { descriptor } = image.layers[0] ?? expect.unreachable();
    expect(await lease.has({ ...descriptor, size: 1 })).toBe(false);
    await bring(lease, image);
    await lease.publish([recordOf(image, `${nginx}:anew`)]);
    await lease.release();
    expect((await collectStream(await store.open(descriptor))).length).toBe(descriptor.size);
  });
}
