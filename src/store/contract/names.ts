/** Names: giving them, finding by them, taking them away. */
import { expect, test } from "vitest";
import { type Descriptor, digestHex } from "../../image/index.ts";
import {
  blobsOf,
  bring,
  layerWith,
  pullSample,
  recordOf,
  type SampleImage,
  sampleImage,
} from "../testing/sample-image.ts";
import { expectFailure, nginx, type OpenStore, sizeOf, statesOf } from "./expectations.ts";

export function describePublishing(openStore: OpenStore): void {
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

export function describeFinding(openStore: OpenStore): void {
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

export function describeRemoving(openStore: OpenStore): void {
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
    const digestName = `${nginx}@${image.index.descriptor.digest}`;
    await pullSample(store, image, [`${nginx}:latest`, digestName], "index");
    const removal = await store.remove("nginx");
    expect(new Set(removal.untagged)).toEqual(new Set([`${nginx}:latest`, digestName]));
    expect(removal.deleted).toEqual([image.id]);
    // More where layers have been unpacked.
    expect(removal.freed).toBeGreaterThanOrEqual(sizeOf(blobsOf(image)));
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
    const shared = layerWith("a layer of both");
    const one = sampleImage("one", { layers: [shared, layerWith("one's own")] });
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

export function describeTagging(openStore: OpenStore): void {
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
