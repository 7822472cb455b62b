/** Content: bringing it in, reading it, protecting it. */
import { expect, test } from "vitest";
import type { ImageStore } from "../image-store.ts";
import { blobsOf, bring, layerWith, pullSample, receive, recordOf, sampleImage } from "../testing/sample-image.ts";
import { byDigest, collectStream, expectFailure, nginx, type OpenStore, statesOf, verifyAll } from "./expectations.ts";

export function describeReceiving(openStore: OpenStore): void {
  const layer = () => sampleImage("received").layers[0] ?? expect.unreachable();

  test("goes on where an earlier attempt stopped", async () => {
    const store = await openStore();
    const { descriptor, bytes } = layer();
    const first = await store.lease();
    const begun = await first.ingest(descriptor);
    expect(begun.received).toBe(0);
    await receive(begun, bytes, 7);
    await begun.abandon("keep");
    await first.release();
    const second = await store.lease();
    expect(await second.has(descriptor)).toBe(false);
    const resumed = await second.ingest(descriptor);
    expect(resumed.received).toBe(7);
    await receive(resumed, bytes);
    await resumed.commit();
    expect(await second.has(descriptor)).toBe(true);
    expect(await store.read(descriptor.digest, 10_000)).toEqual(bytes);
    await second.release();
  });

  test("begins anew after bytes that were given up", async () => {
    const store = await openStore();
    const { descriptor, bytes } = layer();
    const lease = await store.lease();
    const begun = await lease.ingest(descriptor);
    await receive(begun, bytes, 7);
    await begun.abandon("discard");
    expect((await lease.ingest(descriptor)).received).toBe(0);
    await lease.release();
  });

  test("does not take content that is not whole", async () => {
    const store = await openStore();
    const { descriptor, bytes } = layer();
    const lease = await store.lease();
    const ingest = await lease.ingest(descriptor);
    await receive(ingest, bytes, bytes.length - 1);
    await expectFailure(ingest.commit(), "SIZE_MISMATCH");
    expect(await lease.has(descriptor)).toBe(false);
    await lease.release();
  });

  test("takes content that two bring at once", async () => {
    const store = await openStore();
    const { descriptor, bytes } = layer();
    const leases = await Promise.all([store.lease(), store.lease()]);
    const ingests = await Promise.all(leases.map((lease) => lease.ingest(descriptor)));
    expect(new Set(ingests.map(({ path }) => path)).size).toBe(2);
    await Promise.all(ingests.map((ingest) => receive(ingest, bytes)));
    await Promise.all(ingests.map((ingest) => ingest.commit()));
    expect(await store.read(descriptor.digest, 10_000)).toEqual(bytes);
    await Promise.all(leases.map((lease) => lease.release()));
  });

  test("does not take small content that is not what it should be", async () => {
    const store = await openStore();
    const { descriptor, bytes } = layer();
    const lease = await store.lease();
    const other = Buffer.alloc(bytes.length, "x");
    await expectFailure(lease.put(descriptor, other), "DIGEST_MISMATCH");
    await expectFailure(lease.put(descriptor, bytes.subarray(1)), "SIZE_MISMATCH");
    expect(await lease.has(descriptor)).toBe(false);
    await lease.release();
  });
}

export function describeReading(openStore: OpenStore): void {
  test("gives parts of content, the first time and again", async () => {
    const store = await openStore();
    const sample = sampleImage("parts", { layers: [layerWith(Buffer.alloc(2_500_000, "0123456789abc"))] });
    await pullSample(store, sample, [`${nginx}:1.27`]);
    const { descriptor, bytes } = sample.layers[0] ?? expect.unreachable();
    const end = bytes.length - 1;
    for (const [first, last] of [
      [0, 0],
      [5, 1_048_580],
      [1_048_576, end],
      [end, end],
      [0, end],
      [0, 0],
    ] as const) {
      const part = await collectStream(await store.openPart(descriptor, { first, last }));
      expect([first, last, part.equals(bytes.subarray(first, last + 1))]).toEqual([first, last, true]);
    }
  });

  test("gives back what was brought, in one piece and as a stream", async () => {
    const store = await openStore();
    const large = layerWith(Buffer.alloc(2_500_000, "all the bytes of a larger layer "));
    const image = sampleImage("read", { layers: [large, Buffer.alloc(0)] });
    await pullSample(store, image, [`${nginx}:latest`]);
    const [layer, empty] = image.layers.map(({ descriptor }) => descriptor);
    if (layer === undefined || empty === undefined) expect.unreachable();
    expect((await collectStream(await store.open(layer))).equals(large)).toBe(true);
    expect(await collectStream(await store.open(empty))).toHaveLength(0);
    expect(await store.read(image.manifest.descriptor.digest, 10_000)).toEqual(image.manifest.bytes);
    await expectFailure(store.read(layer.digest, 1000), "TOO_LARGE");
  });

  test("says what is not there", async () => {
    const store = await openStore();
    const { descriptor } = sampleImage("absent").manifest;
    await expectFailure(store.read(descriptor.digest, 1000), "IMAGE_NOT_FOUND");
    await expectFailure(store.open(descriptor), "IMAGE_NOT_FOUND");
  });

  test("finds all content sound, with the names that need it", async () => {
    const store = await openStore();
    const image = sampleImage("verified");
    const lease = await store.lease();
    await bring(lease, image);
    await lease.publish([recordOf(image, `${nginx}:1`, "index"), recordOf(image, `${nginx}:2`)]);
    await lease.release();
    const verified = await verifyAll(store);
    const both = [`${nginx}:1`, `${nginx}:2`];
    const expected = blobsOf(image).map(({ descriptor: { digest } }) => {
      const neededBy = digest === image.index.descriptor.digest ? [`${nginx}:1`] : both;
      return { digest, state: "sound", neededBy };
    });
    expect(verified.toSorted(byDigest)).toEqual(expected.toSorted(byDigest));
  });
}

export function describeLeases(openStore: OpenStore): void {
  test("content stays until its lease is released, whatever is removed meanwhile", async () => {
    const store = await openStore();
    const [coming, going] = [sampleImage("coming"), sampleImage("going")];
    await pullSample(store, going, [`${nginx}:going`]);
    const lease = await store.lease();
    await bring(lease, coming);
    await store.remove("nginx:going");
    for (const { descriptor } of blobsOf(coming)) expect(await lease.has(descriptor)).toBe(true);
    await lease.publish([recordOf(coming, `${nginx}:latest`)]);
    await lease.release();
    expect((await store.image("nginx"))?.id).toBe(coming.id);
    expect(await statesOf(store)).toEqual(["sound"]);
  });

  test("content of a removed image stays if a lease saw it", async () => {
    const store = await openStore();
    const image = sampleImage("seen");
    await pullSample(store, image, [`${nginx}:1`], "index");
    const lease = await store.lease();
    for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
    await store.remove("nginx:1");
    expect(await store.images()).toEqual([]);
    await lease.publish([recordOf(image, `${nginx}:2`)]);
    await lease.release();
    expect(await store.images()).toHaveLength(1);
    expect(await statesOf(store)).toEqual(["sound"]);
  });

  test("content stays for the lease that was told to keep it before another brought it", async () => {
    const store = await openStore();
    const { descriptor, bytes } = sampleImage("awaited").layers[0] ?? expect.unreachable();
    const [waiting, bringing] = [await store.lease(), await store.lease()];
    await waiting.keep(descriptor.digest);
    const ingest = await bringing.ingest(descriptor);
    await receive(ingest, bytes);
    await ingest.commit();
    await bringing.release();
    await collectAll(store);
    expect(await store.read(descriptor.digest, 10_000)).toEqual(bytes);
    await waiting.release();
    await collectAll(store);
    await expectFailure(store.read(descriptor.digest, 10_000), "IMAGE_NOT_FOUND");
  });

  /** Has the store collect what nobody needs, as the removal of any image has. */
  async function collectAll(store: ImageStore): Promise<void> {
    await pullSample(store, sampleImage("going"), [`${nginx}:going`]);
    await store.remove("nginx:going");
  }

  test("can be released twice", async () => {
    const store = await openStore();
    const lease = await store.lease();
    await lease.release();
    await expect(lease.release()).resolves.toBeUndefined();
  });

  test("there is room for nothing, and no room for more than any disk has", async () => {
    const store = await openStore();
    const lease = await store.lease();
    await lease.ensureRoom(0);
    await expectFailure(lease.ensureRoom(2 ** 52), "DISK_FULL");
    await lease.release();
  });
}

export function describeUsage(openStore: OpenStore): void {
  test("grows with what is brought in, and says how full the file system is", async () => {
    const store = await openStore();
    const before = await store.usage();
    await pullSample(store, sampleImage("used"), [`${nginx}:1.27`]);
    const after = await store.usage();
    const [image] = await store.images();
    expect(after.used - before.used).toBeGreaterThanOrEqual(image?.size ?? expect.unreachable());
    expect(after.inodesUsed).toBeGreaterThan(before.inodesUsed);
    expect(after.capacity).toBeGreaterThan(after.available);
    expect(after.path).toMatch(/^\//);
  });
}
