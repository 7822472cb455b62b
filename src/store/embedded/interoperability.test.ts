import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, run, skopeoCopy } from "../../../test/tools.ts";
import type { ImageStore } from "../image-store.ts";
import { bring, pullSample, recordOf, type SampleImage, sampleImage } from "../testing/sample-image.ts";
import { openEmbeddedStore } from "./index.ts";

const name = "quay.io/acme/web:v1.2";
const dockerName = "quay.io/acme/old:v1";

/** A tar archive with one file (POSIX ustar). */
function tarWith(path: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write("0000644\u00000000000\u00000000000\u0000", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\u000000000000000\u0000        0`, 124);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

describeWith(["skopeo", "umoci"], "other programs read the layout", ({ skopeo, umoci }) => {
  let folder: string;
  let root: string;
  let store: ImageStore;
  let image: SampleImage;
  let dockerImage: SampleImage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-layout-"));
    root = join(folder, "store");
    store = await openEmbeddedStore(root);
    image = sampleImage("interoperability", { layers: [tarWith("etc/motd", "hello from a layer\n")] });
    const lease = await store.lease();
    await bring(lease, image);
    const digestName = `quay.io/acme/web@${image.index.descriptor.digest}`;
    await lease.publish([recordOf(image, name, "index"), recordOf(image, digestName, "index")]);
    await lease.release();
    dockerImage = sampleImage("docker", { docker: true, layers: [tarWith("etc/issue", "hello from docker\n")] });
    await pullSample(store, dockerImage, [dockerName]);
    await store.close();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("skopeo inspects an image by its name", async () => {
    const inspected: unknown = JSON.parse(await run(skopeo, ["inspect", `oci:${root}:${name}`]));
    expect(inspected).toMatchObject({
      Digest: image.manifest.descriptor.digest,
      Architecture: "amd64",
      Os: "linux",
      Labels: { seed: "interoperability" },
      Layers: image.layers.map(({ descriptor }) => descriptor.digest),
    });
  });

  test("skopeo copies an image out of it, all that the index names included", async () => {
    const copy = join(folder, "copy");
    await skopeoCopy(`oci:${root}:${name}`, `oci:${copy}:web`, { all: true, args: ["--preserve-digests"] });
    const index = JSON.parse(await readFile(join(copy, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    expect(index.manifests.map(({ digest }) => digest)).toEqual([image.manifest.descriptor.digest]);
  });

  test("umoci lists the names", async () => {
    const names = (await run(umoci, ["list", "--layout", root])).trim().split("\n");
    expect(names.toSorted()).toEqual([dockerName, name, `quay.io/acme/web@${image.index.descriptor.digest}`]);
  });

  test("umoci unpacks an image", async () => {
    const bundle = join(folder, "bundle");
    await run(umoci, ["unpack", "--rootless", "--image", `${root}:${name}`, bundle]);
    expect(await readFile(join(bundle, "rootfs", "etc", "motd"), "utf8")).toBe("hello from a layer\n");
  });

  test("skopeo inspects an image that has Docker's media types", async () => {
    const inspected: unknown = JSON.parse(await run(skopeo, ["inspect", `oci:${root}:${dockerName}`]));
    expect(inspected).toMatchObject({
      Labels: { seed: "docker" },
      Layers: dockerImage.layers.map(({ descriptor }) => descriptor.digest),
    });
  });

  test("skopeo copies an image that has Docker's media types", async () => {
    const copy = join(folder, "docker-copy");
    await skopeoCopy(`oci:${root}:${dockerName}`, `dir:${copy}`);
    const manifest: unknown = JSON.parse(await readFile(join(copy, "manifest.json"), "utf8"));
    const [layer] = dockerImage.layers;
    expect(manifest).toMatchObject({
      config: { digest: dockerImage.id },
      layers: [{ digest: layer?.descriptor.digest }],
    });
  });

  test("umoci unpacks an image that has Docker's media types", async () => {
    const bundle = join(folder, "docker-bundle");
    await run(umoci, ["unpack", "--rootless", "--image", `${root}:${dockerName}`, bundle]);
    expect(await readFile(join(bundle, "rootfs", "etc", "issue"), "utf8")).toBe("hello from docker\n");
  });

  test("and leave it as it was", async () => {
    const again = await openEmbeddedStore(root);
    for await (const { state } of again.verify()) expect(state).toBe("sound");
    expect((await again.images()).map(({ id }) => id).toSorted()).toEqual([image.id, dockerImage.id].toSorted());
    await again.close();
  });
});
