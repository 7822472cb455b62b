import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, describe as group, it } from "vitest";
import { describeWith, run } from "../../../test/tools.ts";
import { ociConfig, ociLayer, ociManifest, parsePlatform } from "../../image/index.ts";
import { openEmbeddedStore } from "../embedded/index.ts";
import type { ImageStore } from "../image-store.ts";
import { type ArchiveFormat, loadArchive, saveArchive } from "./index.ts";
import { describe, digestOf, dockerTar, hexOf, ociTar, type SampleImage, sampleImage } from "./testing.ts";

const formats: readonly ArchiveFormat[] = ["docker-archive", "oci-archive"];
const platform = parsePlatform("linux/amd64");
const app = sampleImage("app");
const other = sampleImage("other");

let folder: string;
let store: ImageStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-archive-"));
  store = await openEmbeddedStore(join(folder, "store"));
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

async function load(archive: Buffer): Promise<void> {
  await writeFile(join(folder, "in.tar"), archive);
  await loadArchive(store, join(folder, "in.tar"), { platform });
}

async function save(images: readonly string[], format: ArchiveFormat, name = "out.tar"): Promise<string> {
  const path = join(folder, name);
  await saveArchive(store, images, path, format);
  return path;
}

/** Loads into an empty store; what the archive has is what comes out. */
async function reload(path: string) {
  const fresh = await openEmbeddedStore(await mkdtemp(join(folder, "fresh-")));
  try {
    return (await loadArchive(fresh, path, { platform })).map(({ id, names }) => ({ id, names }));
  } finally {
    await fresh.close();
  }
}

group.each(formats)("a saved %s", (format) => {
  it("has the images and the names that were asked for, and no other names", async () => {
    await load(ociTar(app, "app:1"));
    await store.tag("app:1", "quay.io/acme/app:2");
    await store.tag("app:1", "app:3");
    await load(ociTar(other, "other:1"));
    expect(await reload(await save(["app:3", "other:1", "quay.io/acme/app:2"], format))).toEqual([
      { id: digestOf(app.config), names: ["docker.io/library/app:3", "quay.io/acme/app:2"] },
      { id: digestOf(other.config), names: ["docker.io/library/other:1"] },
    ]);
  });

  it("has an image without names where it was asked for by its id", async () => {
    await load(ociTar(app, "app:1"));
    expect(await reload(await save([hexOf(app.config).slice(0, 12)], format))).toEqual([
      { id: digestOf(app.config), names: [] },
    ]);
  });

  it("is the same every time, and nothing else is left beside it", async () => {
    await load(ociTar(app, "app:1"));
    const first = await readFile(await save(["app:1"], format, "first.tar"));
    expect(await readFile(await save(["app:1"], format, "second.tar"))).toEqual(first);
    expect((await readdir(folder)).sort()).toEqual(["first.tar", "in.tar", "second.tar", "store"]);
  });

  it("can be a stream, which stays open", async () => {
    await load(ociTar(app, "app:1"));
    const stream = new PassThrough();
    const received = buffer(stream);
    await saveArchive(store, ["app:1"], stream, format);
    expect(stream.writable).toBe(true);
    stream.end();
    expect(await received).toEqual(await readFile(await save(["app:1"], format)));
  });

  it("comes back as it was, through every form of layer", async () => {
    const layers = [app.layers[0] ?? Buffer.alloc(0), gzipSync(app.layers[1] ?? "", { level: 1 })];
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifest,
        config: describe(ociConfig, app.config),
        layers: [
          describe(ociLayer, layers[0] ?? Buffer.alloc(0)),
          describe(`${ociLayer}+gzip`, layers[1] ?? Buffer.alloc(0)),
        ],
      }),
    );
    await load(ociTar({ ...app, manifest, compressed: layers }, "app:1"));
    expect(await reload(await save(["app:1"], format))).toEqual([
      { id: digestOf(app.config), names: ["docker.io/library/app:1"] },
    ]);
  });
});

group("saving", () => {
  it("fails for an image that is not there, before a file is made", async () => {
    await expect(save(["gone:1"], "oci-archive")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    expect(await readdir(folder)).toEqual(["store"]);
  });

  it("leaves what was at the destination if it fails, and no remains", async () => {
    const broken: SampleImage = {
      ...app,
      layers: [other.layers[0] ?? Buffer.alloc(0), app.layers[1] ?? Buffer.alloc(0)],
    };
    const compressed = broken.layers.map((layer) => gzipSync(layer));
    const manifest = JSON.parse(app.manifest.toString());
    manifest.layers = compressed.map((layer) => describe(`${ociLayer}+gzip`, layer));
    await load(ociTar({ ...broken, compressed, manifest: Buffer.from(JSON.stringify(manifest)) }, "app:1"));
    await writeFile(join(folder, "out.tar"), "precious");
    await expect(save(["app:1"], "docker-archive")).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(await readFile(join(folder, "out.tar"), "utf8")).toBe("precious");
    expect((await readdir(folder)).sort()).toEqual(["in.tar", "out.tar", "store"]);
  });

  it("says where it cannot write", async () => {
    await load(ociTar(app, "app:1"));
    const gone = join(folder, "gone", "out.tar");
    await expect(saveArchive(store, ["app:1"], gone, "oci-archive")).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      message: expect.stringContaining(gone),
    });
    await mkdir(join(folder, "taken"));
    await expect(save(["app:1"], "oci-archive", "taken")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect((await readdir(folder)).sort()).toEqual(["in.tar", "store", "taken"]);
    const closed = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
    await expect(saveArchive(store, ["app:1"], closed, "oci-archive")).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
  });
});

describeWith(["skopeo", "umoci", "tar"], "with skopeo and umoci", ({ skopeo, umoci, tar }) => {
  const copy = (from: string, to: string) => run(skopeo, ["--insecure-policy", "copy", "--quiet", from, to]);

  it.each(formats)("they read the %s that we write", async (format) => {
    await load(ociTar(app, "quay.io/acme/app:1"));
    await load(dockerTar(other, ["other:1"]));
    const path = await save(["quay.io/acme/app:1", "other:1"], format);
    const inspected = JSON.parse(await run(skopeo, ["inspect", "--config", `${format}:${path}:quay.io/acme/app:1`]));
    expect(inspected).toMatchObject(JSON.parse(app.config.toString()));
    const one = await save(["quay.io/acme/app:1"], format, "one.tar");
    await copy(`${format}:${one}`, `oci:${join(folder, "layout")}:tag`);
    await run(umoci, ["unpack", "--rootless", "--image", `${join(folder, "layout")}:tag`, join(folder, "bundle")]);
    expect(await readFile(join(folder, "bundle/rootfs/upper/app"), "utf8")).toBe("app ".repeat(5000));
  });

  it("umoci reads the layout that we write", async () => {
    await load(ociTar(app, "app:1"));
    const path = await save(["app:1"], "oci-archive");
    await mkdir(join(folder, "layout"));
    await run(tar, ["-xf", path, "-C", join(folder, "layout")]);
    const image = `${join(folder, "layout")}:docker.io/library/app:1`;
    await run(umoci, ["unpack", "--rootless", "--image", image, join(folder, "bundle")]);
    expect(await readFile(join(folder, "bundle/rootfs/lower/app"), "utf8")).toBe("app ".repeat(5000));
  });

  it.each(formats)("we read the %s that skopeo writes", async (format) => {
    await load(ociTar(app, "app:1"));
    const ours = await save(["app:1"], "oci-archive");
    await copy(`oci-archive:${ours}`, `${format}:${join(folder, "theirs.tar")}:quay.io/acme/app:9`);
    expect(await reload(join(folder, "theirs.tar"))).toEqual([
      { id: digestOf(app.config), names: ["quay.io/acme/app:9"] },
    ]);
  });

  it("we read the layouts that skopeo and umoci write", async () => {
    const layout = join(folder, "layout");
    await run(umoci, ["init", "--layout", layout]);
    await run(umoci, ["new", "--image", `${layout}:empty`]);
    expect(await reload(layout)).toMatchObject([{ names: [] }]);
    await load(dockerTar(app, ["app:1"]));
    await copy(`docker-archive:${await save(["app:1"], "docker-archive")}`, `oci:${layout}:quay.io/acme/app:9`);
    expect((await reload(layout)).map(({ names }) => names)).toEqual([[], ["quay.io/acme/app:9"]]);
  });
});
