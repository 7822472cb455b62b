import { chmod, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { startCri } from "./server.ts";
import { openShop } from "./shop.ts";

const { method } = ImageService;
const shop = openShop();

describe("what is told of images", () => {
  test("a user beyond the range of ids is a name, and never root", async () => {
    shop().registry.addImage(
      "team/public:huge",
      await buildImage({ layers: [{ files: { a: "b" } }], config: { User: "4294967296:0" } }),
    );
    const { client } = await startCri();
    await client.pull(`${shop().registry.host}/team/public:huge`);
    const image = await client.status(`${shop().registry.host}/team/public:huge`);
    expect([image?.username, image?.uid]).toEqual(["4294967296", undefined]);
  });

  test("pinned ones are told of as pinned as long as they are", async () => {
    let pinned = true;
    const { client } = await startCri({ isPinned: () => pinned });
    await client.pull(shop().publicImage);
    expect((await client.status(shop().publicImage))?.pinned).toBe(true);
    expect((await client.list())[0]?.pinned).toBe(true);
    pinned = false;
    expect((await client.status(shop().publicImage))?.pinned).toBe(false);
  });

  test("more is told where more is asked for: the chain id and the config", async () => {
    const { client } = await startCri();
    await client.pull(shop().publicImage);
    const info = JSON.parse((await client.info(shop().publicImage))["info"] ?? "") as Record<string, unknown>;
    const config =
      shop()
        .image.content.get(shop().image.manifests[0]?.config.digest as never)
        ?.bytes.toString() ?? "";
    expect(info["imageSpec"]).toEqual(JSON.parse(config));
    // Of a single layer the chain id is the digest of the layer itself.
    expect(info["chainID"]).toBe((JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids[0]);
  });

  test("a stream has each image once", async () => {
    const { client } = await startCri();
    const all = async () => {
      const messages = [];
      for await (const { images } of client.channel.serverStream(method.streamImages, {})) messages.push(images.length);
      return messages;
    };
    expect(await all()).toEqual([]);
    await client.pull(shop().publicImage);
    expect(await all()).toEqual([1]);
  });

  test("a damaged image is not there, and the next pull makes it whole", async () => {
    const cri = await startCri();
    const id = await cri.client.pull(shop().publicImage);
    expect(await cri.client.status(id)).toBeDefined();
    const path = `${cri.folder}/store/blobs/sha256/${id.slice("sha256:".length)}`;
    await chmod(path, 0o600);
    await writeFile(path, "damaged");
    const again = await startCri({ openStore: async () => cri.store });
    expect(await again.client.status(id)).toBeUndefined();
    expect(await again.client.pull(shop().publicImage)).toBe(id);
    expect((await again.client.status(id))?.id).toBe(id);
  });

  test("the file systems are the store's", async () => {
    const { client, folder } = await startCri();
    await client.pull(shop().publicImage);
    const { imageFilesystems, containerFilesystems } = await client.channel.unary(method.imageFsInfo, {});
    expect(imageFilesystems).toEqual(containerFilesystems);
    const [system] = imageFilesystems;
    expect(system?.fsId?.mountpoint).toBe(`${folder}/store/blobs`);
    expect(system?.usedBytes?.value).toBeGreaterThan(300_000n);
    expect(system?.inodesUsed?.value).toBeGreaterThan(3n);
    expect(system?.timestamp).toBeGreaterThan(1_700_000_000_000_000_000n);
  });
});
