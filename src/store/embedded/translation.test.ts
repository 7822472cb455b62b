import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Digest, digestHex, ociManifest } from "../../image/index.ts";
import type { ImageStore } from "../image-store.ts";
import { pullSample, type SampleImage, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

const nginx = "docker.io/library/nginx";

interface Entry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly annotations: Readonly<Record<string, string>>;
}

let root: string;
let image: SampleImage;
beforeEach(async () => {
  root = await temporaryRoot();
  image = sampleImage("docker", { docker: true });
});

async function useStore<Value>(use: (store: ImageStore) => Promise<Value>): Promise<Value> {
  const store = await openEmbeddedStore(root);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** What `index.json` says of the only name. */
async function indexEntry(): Promise<Entry> {
  const index = JSON.parse(await readFile(join(root, "index.json"), "utf8")) as { manifests: [Entry] };
  expect(index.manifests).toHaveLength(1);
  return index.manifests[0];
}

function blob(digest: Digest): string {
  return join(root, "blobs", "sha256", digestHex(digest));
}

async function verified(store: ImageStore) {
  const all = [];
  for await (const each of store.verify()) all.push(each);
  return all;
}

describe("an image under Docker's media types", () => {
  test("stands in index.json by its manifest in OCI's words", async () => {
    await useStore((store) => pullSample(store, image, [`${nginx}:1`]));
    const { mediaType, digest, annotations } = await indexEntry();
    expect(mediaType).toBe(ociManifest);
    expect(annotations["dev.pulley.manifest.digest"]).toBe(image.manifest.descriptor.digest);
    const manifest: unknown = JSON.parse(await readFile(blob(digest), "utf8"));
    expect(manifest).toMatchObject({ config: { digest: image.id }, mediaType: ociManifest });
  });

  test("counts and is found as what it is", async () => {
    await useStore(async (store) => {
      const { size, manifest } = await pullSample(store, image, [`${nginx}:1`]);
      expect(manifest.digest).toBe(image.manifest.descriptor.digest);
      const own = [image.manifest, image.config, ...image.layers];
      expect(size).toBe(own.reduce((sum, { descriptor }) => sum + descriptor.size, 0));
    });
  });

  test("keeps it through collections, and takes it along when it goes", async () => {
    await useStore(async (store) => {
      await pullSample(store, image, [`${nginx}:1`]);
      await pullSample(store, sampleImage("other"), [`${nginx}:2`]);
      await store.remove("nginx:2");
      const states = await verified(store);
      expect(states).toHaveLength(5);
      expect(states.every(({ state, neededBy }) => state === "sound" && neededBy.length === 1)).toBe(true);
      await store.remove("nginx:1");
    });
    expect(await readdir(join(root, "blobs", "sha256"))).toEqual([]);
    expect(await readdir(join(root, "trash"))).toEqual([]);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ["missing", (path) => rm(path)],
    ["damaged", async (path) => writeFile(path, Buffer.alloc((await stat(path)).size))],
  ])("gets it back from verification when it is %s", async (state, harm) => {
    await useStore((store) => pullSample(store, image, [`${nginx}:1`]));
    const { digest } = await indexEntry();
    await harm(blob(digest));
    await useStore(async (store) => {
      expect((await verified(store)).filter((each) => each.state !== "sound")).toEqual([
        { digest, state, neededBy: [`${nginx}:1`] },
      ]);
      expect((await verified(store)).every((each) => each.state === "sound")).toBe(true);
    });
    expect((await indexEntry()).digest).toBe(digest);
  });

  test("is named by its own manifest where the other is missing", async () => {
    await useStore((store) => pullSample(store, image, [`${nginx}:1`]));
    await rm(blob((await indexEntry()).digest));
    await utimes(join(root, "records"), new Date(), new Date());
    await useStore((store) => store.images());
    expect(await indexEntry()).toMatchObject(image.manifest.descriptor);
  });

  test("gets it back when it is given another name", async () => {
    await useStore((store) => pullSample(store, image, [`${nginx}:1`]));
    const { digest } = await indexEntry();
    await rm(blob(digest));
    await useStore((store) => store.tag("nginx:1", `${nginx}:1`));
    expect((await indexEntry()).digest).toBe(digest);
  });

  test("keeps it without a name", async () => {
    await useStore((store) => pullSample(store, image, [`${nginx}:1`]));
    const { digest } = await indexEntry();
    await useStore(async (store) => {
      await pullSample(store, sampleImage("next"), [`${nginx}:1`]);
      await pullSample(store, sampleImage("other"), [`${nginx}:2`]);
      await store.remove("nginx:2");
      expect((await store.image(image.id))?.repoTags).toEqual([]);
      expect(await verified(store)).toContainEqual({
        digest,
        state: "sound",
        neededBy: [],
        nameless: [image.id],
      });
    });
  });
});
