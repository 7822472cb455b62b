/** What every {@link ImageStore} does: declared as tests, for each implementation to run. */
import { afterEach, describe, expect, test } from "vitest";
import type { Descriptor } from "../image/descriptor.ts";
import { digestHex } from "../image/digest.ts";
import type { ErrorCode } from "../support/errors.ts";
import type { ImageStore, Verified } from "./index.ts";
import {
  blobsOf,
  bring,
  pullSample,
  receive,
  recordOf,
  type SampleImage,
  sampleImage,
} from "./testing/sample-image.ts";

const nginx = "docker.io/library/nginx";

/** @param open a new, empty store each time; it is closed after the test */
export function imageStoreContract(name: string, open: () => Promise<ImageStore>): void {
  describe(`${name} as an image store`, () => {
    const opened: ImageStore[] = [];
    const openStore = async () => {
      const store = await open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    describe("publishing", () => describePublishing(openStore));
    describe("finding", () => describeFinding(openStore));
    describe("removing", () => describeRemoving(openStore));
    describe("tagging", () => describeTagging(openStore));
    describe("receiving content", () => describeReceiving(openStore));
    describe("reading content", () => describeReading(openStore));
    describe("leases", () => describeLeases(openStore));
  });
}

type OpenStore = () => Promise<ImageStore>;

function describePublishing(openStore: OpenStore): void {
  test("shows nothing at first", async () => {
    const store = await openStore();
    expect(await store.images()).toEqual([]);
    expect(await store.image("nginx")).toBeUndefined();
    expect(await store.record(`${nginx}:latest`)).toBeUndefined();
  });

  test("shows an image with all that is known of it", async () => {
    const store = await openStore();
    const image = sampleImage("whole");
    const digestName = `${nginx}@${image.manifest.descriptor.digest}`;
    const published = await pullSample(store, image, [digestName, `${nginx}:1.27`, `${nginx}:latest`]);
    expect(published).toEqual({
      id: image.id,
      repoTags: [`${nginx}:1.27`, `${nginx}:latest`],
      repoDigests: [digestName],
      size: sizeOf([image.manifest, image.config, ...image.layers]),
      platform: image.platform,
      manifest: image.manifest.descriptor,
      createdAt: image.createdAt,
    });
    expect(await store.images()).toEqual([published]);
  });

  test("keeps what a name stands for, and when that was confirmed", async () => {
    const store = await openStore();
    const image = sampleImage("index");
    const record = { ...recordOf(image, `${nginx}:1.27`, "index"), confirmedAt: 1_700_000_000_000 };
    const lease = await store.lease();
    await bring(lease, image);
    await lease.publish([record]);
    await lease.release();
    expect(await store.record(record.name)).toEqual(record);
    expect((await store.image("nginx:1.27"))?.size).toBe(sizeOf([image.manifest, image.config, ...image.layers]));
    await store.confirm(record.name, 1_700_000_060_000);
    expect(await store.record(record.name)).toEqual({ ...record, confirmedAt: 1_700_000_060_000 });
  });

  test("a confirmation ends with what was confirmed", async () => {
    const store = await openStore();
    await pullSample(store, sampleImage("before"), [`${nginx}:latest`]);
    await store.confirm(`${nginx}:latest`, 1_700_000_000_000);
    await pullSample(store, sampleImage("after"), [`${nginx}:latest`]);
    expect((await store.record(`${nginx}:latest`))?.confirmedAt).toBeUndefined();
  });

  test.each<[string, (image: SampleImage) => Descriptor]>([
    ["a layer", ({ layers }) => layers[1]?.descriptor ?? expect.unreachable()],
    ["the config", ({ config }) => config.descriptor],
    ["the manifest", ({ manifest }) => manifest.descriptor],
    ["the index", ({ index }) => index.descriptor],
  ])("refuses an image of which %s is not there", async (_, choose) => {
    const store = await openStore();
    const image = sampleImage("incomplete");
    const lease = await store.lease();
    for (const { descriptor, bytes } of blobsOf(image)) {
      if (descriptor !== choose(image)) await lease.put(descriptor, bytes);
    }
    await expectFailure(lease.publish([recordOf(image, `${nginx}:latest`, "index")]), "CONTENT_MISSING");
    await lease.release();
    expect(await store.images()).toEqual([]);
  });

  test.each(["nginx:latest", nginx, `${nginx}:latest@sha256:${"0".repeat(64)}`, "docker.io/library/NGINX:1", ""])(
    "refuses the name %j, which is not normalised",
    async (name) => {
      const store = await openStore();
      await expectFailure(pullSample(store, sampleImage("name"), [name]), "REFERENCE_INVALID");
      expect(await store.images()).toEqual([]);
    },
  );

  test("a tag that moves leaves the old image its digest", async () => {
    const store = await openStore();
    const [old, fresh] = [sampleImage("old"), sampleImage("fresh")];
    const [oldName, freshName] = [old, fresh].map((image) => `${nginx}@${image.manifest.descriptor.digest}`);
    await pullSample(store, old, [`${nginx}:latest`, String(oldName)]);
    await pullSample(store, fresh, [`${nginx}:latest`, String(freshName)]);
    expect(await store.image("nginx")).toMatchObject({ id: fresh.id, repoDigests: [freshName] });
    expect(await store.image(old.id)).toMatchObject({ repoTags: [], repoDigests: [oldName] });
    expect(await store.images()).toHaveLength(2);
  });

  test("a tag that moves leaves an image that has no other name without one", async () => {
    const store = await openStore();
    const old = sampleImage("old");
    await pullSample(store, old, [`${nginx}:latest`]);
    await pullSample(store, sampleImage("fresh"), [`${nginx}:latest`]);
    expect(await store.image(old.id)).toMatchObject({ repoTags: [], repoDigests: [] });
    expect(await statesOf(store)).toEqual(["sound"]);
  });

  test("takes an image without a name by its id", async () => {
    const store = await openStore();
    const image = sampleImage("nameless");
    await pullSample(store, image, [image.id]);
    expect(await store.image(image.id)).toMatchObject({ id: image.id, repoTags: [], repoDigests: [] });
    await store.tag(image.id, "nginx");
    expect(await store.remove("nginx")).toMatchObject({ untagged: [`${nginx}:latest`], deleted: [image.id] });
    expect(await store.images()).toEqual([]);
  });
}

function describeFinding(openStore: OpenStore): void {
  test("finds an image by each of its names and by its id", async () => {
    const store = await openStore();
    const image = sampleImage("found");
    const { digest } = image.manifest.descriptor;
    await pullSample(store, image, [`${nginx}:latest`, `${nginx}@${digest}`]);
    const texts = ["nginx", "nginx:latest", "library/nginx", "docker.io/nginx", "index.docker.io/library/nginx:latest"];
    texts.push(`nginx@${digest}`, `nginx:latest@${digest}`, `nginx:1.0@${digest}`);
    texts.push(image.id, digestHex(image.id), digestHex(image.id).slice(0, 12), image.id.slice(0, 20));
    for (const text of texts) expect((await store.image(text))?.id, text).toBe(image.id);
  });

  test("finds by its digest what a tag stands for", async () => {
    const store = await openStore();
    const image = sampleImage("pinned");
    const lease = await store.lease();
    await bring(lease, image);
    await lease.publish([recordOf(image, `${nginx}:1.27`, "index")]);
    await lease.release();
    for (const { descriptor } of [image.index, image.manifest]) {
      expect((await store.image(`nginx@${descriptor.digest}`))?.id).toBe(image.id);
      expect(await store.image(`quay.io/other/nginx@${descriptor.digest}`)).toBeUndefined();
      expect(await store.image(`ngin@${descriptor.digest}`)).toBeUndefined();
    }
  });

  test("does not find other names", async () => {
    const store = await openStore();
    await pullSample(store, sampleImage("one"), [`${nginx}:1.27`]);
    for (const text of [
      "nginx",
      "nginx:1.2",
      "quay.io/library/nginx:1.27",
      `sha256:${"0".repeat(64)}`,
      "0".repeat(64),
    ]) {
      expect(await store.image(text), text).toBeUndefined();
    }
  });

  test("says when the beginning of an id is several images'", async () => {
    const store = await openStore();
    const images = Array.from({ length: 17 }, (_, seed) => sampleImage(`many ${seed}`));
    for (const [position, image] of images.entries()) await pullSample(store, image, [`${nginx}:v${position}`]);
    const firsts = images.map(({ id }) => digestHex(id).slice(0, 1));
    const shared = firsts.find((first, position) => firsts.indexOf(first) !== position) ?? expect.unreachable();
    await expectFailure(store.image(shared), "REFERENCE_INVALID");
    expect(await store.images()).toHaveLength(17);
    const ids = (await store.images()).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
  });

  test("prefers a name to the beginning of an id", async () => {
    const store = await openStore();
    const [one, other] = [sampleImage("one"), sampleImage("other")];
    const start = digestHex(one.id).slice(0, 8);
    await pullSample(store, one, [`${nginx}:latest`]);
    expect((await store.image(start))?.id).toBe(one.id);
    await pullSample(store, other, [`docker.io/library/${start}:latest`]);
    expect((await store.image(start))?.id).toBe(other.id);
  });

  test.each(["", "UPPER", "a b", "nginx:", "nginx@sha256:12", "../../etc"])("refuses %j", async (text) => {
    const store = await openStore();
    await expectFailure(store.image(text), "REFERENCE_INVALID");
  });
}

function describeRemoving(openStore: OpenStore): void {
  test("takes one of several tags, and nothing else", async () => {
    const store = await openStore();
    const image = sampleImage("two");
    const digestName = `${nginx}@${image.manifest.descriptor.digest}`;
    await pullSample(store, image, [`${nginx}:1`, `${nginx}:2`, digestName]);
    expect(await store.remove("nginx:1")).toEqual({ untagged: [`${nginx}:1`], deleted: [], freed: expect.anything() });
    expect(await store.image(image.id)).toMatchObject({ repoTags: [`${nginx}:2`], repoDigests: [digestName] });
    expect(await statesOf(store)).toEqual(["sound"]);
  });

  test("takes with its last tag the repository's digests, the image and its content", async () => {
    const store = await openStore();
    const image = sampleImage("last");
    const digestName = `${nginx}@${image.manifest.descriptor.digest}`;
    await pullSample(store, image, [`${nginx}:latest`, digestName]);
    const removal = await store.remove("nginx");
    expect(new Set(removal.untagged)).toEqual(new Set([`${nginx}:latest`, digestName]));
    expect(removal.deleted).toEqual([image.id]);
    expect(removal.freed).toBe(sizeOf(blobsOf(image)));
    expect(await store.images()).toEqual([]);
    await expectFailure(store.read(image.manifest.descriptor.digest, 10_000), "IMAGE_NOT_FOUND");
  });

  test("leaves the digests of another repository", async () => {
    const store = await openStore();
    const image = sampleImage("elsewhere");
    const other = `quay.io/acme/nginx@${image.manifest.descriptor.digest}`;
    await pullSample(store, image, [`${nginx}:latest`, other]);
    expect(await store.remove("nginx")).toMatchObject({ untagged: [`${nginx}:latest`], deleted: [] });
    expect((await store.image(image.id))?.repoDigests).toEqual([other]);
  });

  test("takes all names by the id", async () => {
    const store = await openStore();
    const image = sampleImage("all");
    const names = [`${nginx}:1`, `${nginx}:2`, `quay.io/acme/nginx:1`];
    await pullSample(store, image, names);
    const removal = await store.remove(digestHex(image.id).slice(0, 12));
    expect(new Set(removal.untagged)).toEqual(new Set(names));
    expect(removal.deleted).toEqual([image.id]);
  });

  test("leaves content that another image has too", async () => {
    const store = await openStore();
    const shared = Buffer.from("a layer of both");
    const one = sampleImage("one", { layers: [shared, Buffer.from("one's own")] });
    const other = sampleImage("other", { layers: [shared] });
    await pullSample(store, one, [`${nginx}:one`]);
    await pullSample(store, other, [`${nginx}:other`]);
    await store.remove("nginx:one");
    expect(await statesOf(store)).toEqual(["sound"]);
    expect((await store.images()).map(({ id }) => id)).toEqual([other.id]);
  });

  test("says what is not there", async () => {
    const store = await openStore();
    await expectFailure(store.remove("nginx"), "IMAGE_NOT_FOUND");
  });
}

function describeTagging(openStore: OpenStore): void {
  test("gives an image another name, which no registry has confirmed", async () => {
    const store = await openStore();
    const image = sampleImage("tagged");
    await pullSample(store, image, [`${nginx}:latest`]);
    await store.confirm(`${nginx}:latest`, 1_700_000_000_000);
    await store.tag("nginx", "quay.io/acme/web:v1");
    await store.tag(image.id, "web");
    const names = [`${nginx}:latest`, "docker.io/library/web:latest", "quay.io/acme/web:v1"];
    expect((await store.image("web"))?.repoTags).toEqual(names);
    expect(await store.record("quay.io/acme/web:v1")).toEqual(recordOf(image, "quay.io/acme/web:v1"));
  });

  test("says what cannot be done", async () => {
    const store = await openStore();
    await expectFailure(store.tag("absent", "web"), "IMAGE_NOT_FOUND");
    await pullSample(store, sampleImage("tagged"), [`${nginx}:latest`]);
    await expectFailure(store.tag("nginx", "Not/A/Name"), "REFERENCE_INVALID");
    await expectFailure(store.tag("nginx", `web@sha256:${"0".repeat(64)}`), "REFERENCE_INVALID");
  });
}

function describeReceiving(openStore: OpenStore): void {
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
    expect(await store.read(descriptor.digest, 1000)).toEqual(bytes);
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
    expect(await store.read(descriptor.digest, 1000)).toEqual(bytes);
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

function describeReading(openStore: OpenStore): void {
  test("gives back what was brought, in one piece and as a stream", async () => {
    const store = await openStore();
    const large = Buffer.alloc(2_500_000, "all the bytes of a larger layer ");
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

function describeLeases(openStore: OpenStore): void {
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
    await pullSample(store, image, [`${nginx}:1`]);
    const lease = await store.lease();
    for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
    await store.remove("nginx:1");
    expect(await store.images()).toEqual([]);
    await lease.publish([recordOf(image, `${nginx}:2`)]);
    await lease.release();
    expect(await store.images()).toHaveLength(1);
    expect(await statesOf(store)).toEqual(["sound"]);
  });

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

async function expectFailure(outcome: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ code });
}

async function verifyAll(store: ImageStore): Promise<Verified[]> {
  const verified: Verified[] = [];
  for await (const blob of store.verify()) verified.push(blob);
  return verified;
}

async function statesOf(store: ImageStore): Promise<string[]> {
  return [...new Set((await verifyAll(store)).map(({ state }) => state))];
}

async function collectStream(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

function sizeOf(blobs: readonly { readonly descriptor: Descriptor }[]): number {
  return blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

function byDigest(one: { readonly digest: string }, other: { readonly digest: string }): number {
  return one.digest < other.digest ? -1 : 1;
}
