import { expect, test } from "vitest";
import { imageStoreContract } from "../contract.ts";
import { blobsOf, pullSample, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

const open = async () => openEmbeddedStore(await temporaryRoot());

imageStoreContract("the embedded store", open);

test("a removal frees the bytes of all that the image was brought with", async () => {
  const store = await open();
  const image = sampleImage("freed");
  await pullSample(store, image, ["docker.io/library/nginx:latest"]);
  const all = blobsOf(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  expect((await store.remove("nginx")).freed).toBe(all);
  await store.close();
});
