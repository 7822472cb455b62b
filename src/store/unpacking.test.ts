import { expect, test } from "vitest";
import { openEmbeddedStore } from "./embedded/index.ts";
import type { ImageStore } from "./image-store.ts";
import { blobOf, layerWith, pullSample, sampleImage, withDocument } from "./testing/sample-image.ts";
import { temporaryRoot } from "./testing/temporary-root.ts";
import { type UnfitLayer, unfitLayers } from "./unpacking.ts";

async function unfitIn(store: ImageStore): Promise<readonly UnfitLayer[]> {
  const found: UnfitLayer[] = [];
  for await (const layer of unfitLayers(store)) found.push(layer);
  return found;
}

/** An image whose config speaks of other layers than its manifest lists. */
function swapped(seed: string, layers: readonly Buffer[], others: readonly Buffer[], docker = false) {
  const image = sampleImage(seed, { layers, docker });
  const real = sampleImage(`${seed} too`, { layers: others, docker }).layers;
  return { ...withDocument(image, { layers: real.map(({ descriptor }) => descriptor) }), layers: real };
}

const name = "docker.io/library/nginx:1";
const [one, two] = [layerWith("one"), layerWith("two")];

test.each([false, true])(
  "layers that are in another order than the config says are found (compressed: %s)",
  async (docker) => {
    const store = await openEmbeddedStore(await temporaryRoot());
    await pullSample(store, sampleImage("sound", { docker }), ["docker.io/library/sound:1"]);
    const image = swapped("swapped", [one, two], [two, one], docker);
    await pullSample(store, image, [name]);
    const found = await unfitIn(store);
    expect(found.map(({ layer }) => layer)).toEqual(image.layers.map(({ descriptor }) => descriptor.digest));
    const claimed = [one, two].map((bytes) => blobOf("", bytes).descriptor.digest);
    expect(found.map(({ diffId }) => diffId)).toEqual(claimed);
    for (const { error, images } of found) {
      expect(error).toMatchObject({ code: "DIGEST_MISMATCH", message: expect.stringContaining("unpacks to sha256:") });
      expect(images).toContain(name);
    }
    await store.close();
  },
);

test("a layer that cannot be unpacked is found, and what is missing is passed over", async () => {
  const store = await openEmbeddedStore(await temporaryRoot());
  const cut = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), Buffer.from("no deflate")]);
  await pullSample(store, sampleImage("cut", { layers: [cut] }), [name]);
  expect(await unfitIn(store)).toMatchObject([
    { layer: blobOf("", cut).descriptor.digest, error: { code: "MANIFEST_INVALID" }, images: [name] },
  ]);
  await store.close();
});
