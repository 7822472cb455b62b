import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, describe as group, it } from "vitest";
import { ociIndex, ociManifest, parseDigest, parseManifest, parsePlatform } from "../../image/index.ts";
import { openEmbeddedStore } from "../embedded/index.ts";
import type { ImageStore } from "../image-store.ts";
import { loadArchive } from "./index.ts";
import {
  blob,
  blobsOf,
  describe,
  digestOf,
  dockerEntries,
  dockerList,
  dockerTar,
  hexOf,
  indexOf,
  layoutIndex,
  layoutMarker,
  named,
  ociTar,
  sampleImage,
  type TarEntry,
  tarOf,
} from "./testing.ts";

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

const app = sampleImage("app");

async function load(archive: Buffer, platform = "linux/amd64") {
  const path = join(folder, "archive.tar");
  await writeFile(path, archive);
  return loadArchive(store, path, { platform: parsePlatform(platform) });
}

async function unpackTo(path: string, entries: readonly TarEntry[]): Promise<string> {
  for (const entry of entries) {
    await mkdir(dirname(join(path, entry.path)), { recursive: true });
    await writeFile(join(path, entry.path), entry.content ?? "");
  }
  return path;
}

/** The tar with a first header whose size has 95 bits. */
function beyondIntegers(tar: Buffer): Buffer {
  const header = tar.subarray(0, 512);
  header.fill(0xff, 124, 136);
  header[124] = 0xbf;
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return tar;
}

/** The image's layers as the store has them. */
async function storedLayers(id: string): Promise<string[]> {
  const image = await store.image(id);
  if (image === undefined) throw new Error(`${id} is not in the store`);
  const manifest = parseManifest(await store.read(image.manifest.digest, 100_000), image.manifest.mediaType);
  if (manifest.kind !== "manifest") throw new Error("a manifest was expected");
  const contents = manifest.layers.map(async (layer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of await store.open(layer)) chunks.push(chunk);
    return digestOf(Buffer.concat(chunks));
  });
  return Promise.all(contents);
}

const loaded = { id: digestOf(app.config), platform: { os: "linux", architecture: "amd64", variant: "" } };

group("an OCI archive", () => {
  it("is loaded byte for byte, under the name that it has", async () => {
    expect(await load(ociTar(app, "quay.io/acme/app:1"))).toEqual([{ ...loaded, names: ["quay.io/acme/app:1"] }]);
    expect(await store.image("quay.io/acme/app:1")).toMatchObject({
      id: loaded.id,
      manifest: { digest: digestOf(app.manifest) },
      repoTags: ["quay.io/acme/app:1"],
    });
    expect(await storedLayers(loaded.id)).toEqual(app.compressed.map(digestOf));
  });

  it("may be in gzip, and a folder", async () => {
    expect(await load(gzipSync(ociTar(app, "app:1")))).toEqual([{ ...loaded, names: ["docker.io/library/app:1"] }]);
    const entries = [
      layoutMarker,
      layoutIndex({ ...describe(ociManifest, app.manifest), ...named("app:2") }),
      ...blobsOf(app),
    ];
    const layout = await unpackTo(join(folder, "layout"), entries);
    const options = { platform: parsePlatform("linux/amd64") };
    expect(await loadArchive(store, layout, options)).toEqual([{ ...loaded, names: ["docker.io/library/app:2"] }]);
    expect((await store.image(loaded.id))?.repoTags).toEqual(["docker.io/library/app:1", "docker.io/library/app:2"]);
  });

  it("without a whole name is known by its id", async () => {
    expect(await load(ociTar(app, "latest"))).toEqual([{ ...loaded, names: [] }]);
    expect(await store.image(loaded.id)).toMatchObject({ id: loaded.id, repoTags: [] });
  });

  it("may name an image several times, and itself several images", async () => {
    const other = sampleImage("other");
    const target = describe(ociManifest, app.manifest);
    const index = layoutIndex(
      { ...target, ...named("app:2") },
      target,
      {
        ...target,
        annotations: {
          "io.containerd.image.name": "docker.io/library/app:1",
          "org.opencontainers.image.ref.name": "1",
        },
      },
      { ...describe(ociManifest, other.manifest), ...named("quay.io/other:x") },
    );
    expect(await load(tarOf(...blobsOf(app), ...blobsOf(other), index, layoutMarker))).toEqual([
      { ...loaded, names: ["docker.io/library/app:1", "docker.io/library/app:2"] },
      { ...loaded, id: digestOf(other.config), names: ["quay.io/other:x"] },
    ]);
  });

  it("of several platforms gives the one that is wanted, under the index", async () => {
    const arm = sampleImage("app", "arm64");
    const index = indexOf([arm, "arm64"], [app, "amd64"]);
    const archive = tarOf(
      layoutMarker,
      layoutIndex({ ...describe(ociIndex, index), ...named("app:1") }),
      blob(index),
      ...blobsOf(app),
      ...blobsOf(arm),
    );
    expect(await load(archive, "linux/arm64")).toMatchObject([
      { id: digestOf(arm.config), platform: { architecture: "arm64" } },
    ]);
    expect(await store.record("docker.io/library/app:1")).toMatchObject({
      target: { digest: digestOf(index) },
      manifest: { digest: digestOf(arm.manifest) },
    });
    await expect(load(archive, "linux/s390x")).rejects.toMatchObject({
      code: "PLATFORM_MISSING",
      message: expect.stringContaining("archive.tar: no image for linux/s390x: the index has linux/arm64, linux/amd64"),
    });
  });

  it("may list the platforms of one name side by side, beside attestations", async () => {
    const arm = sampleImage("app", "arm64");
    const entry = (image: typeof app, architecture: string) => ({
      ...describe(ociManifest, image.manifest),
      platform: { os: "linux", architecture },
      ...named("app:1"),
    });
    const attestation = {
      ...describe(ociManifest, arm.manifest),
      platform: { os: "unknown", architecture: "unknown" },
    };
    const archive = tarOf(
      layoutMarker,
      layoutIndex(attestation, entry(arm, "arm64"), entry(app, "amd64")),
      ...blobsOf(app),
      ...blobsOf(arm),
    );
    expect(await load(archive)).toEqual([{ ...loaded, names: ["docker.io/library/app:1"] }]);
  });

  it("of one image for another platform is what the user asked for", async () => {
    expect(await load(ociTar(app, "app:1"), "linux/arm64")).toEqual([
      { ...loaded, names: ["docker.io/library/app:1"] },
    ]);
  });
});

group("docker's archive", () => {
  it("is loaded under its tags, with a manifest of ours", async () => {
    expect(await load(dockerTar(app, ["app:1", "quay.io/acme/app:x"]))).toEqual([
      { ...loaded, names: ["docker.io/library/app:1", "quay.io/acme/app:x"] },
    ]);
    expect(await storedLayers("app:1")).toEqual(app.layers.map(digestOf));
  });

  it("may have no tags, be in gzip, and in any order", async () => {
    const entries = dockerEntries(app, null).reverse();
    expect(await load(gzipSync(tarOf(...entries)))).toEqual([{ ...loaded, names: [] }]);
  });

  it("may have compressed layers, which stay as they are", async () => {
    const layers = app.compressed.map((content, position) => ({ path: `${position}.tar.gz`, content }));
    const list = dockerList({ Config: "config", RepoTags: ["app:1"], Layers: layers.map(({ path }) => path) });
    await load(tarOf({ path: "config", content: app.config }, ...layers, list));
    expect(await storedLayers("app:1")).toEqual(app.compressed.map(digestOf));
  });

  it("may have links from one layer to another within the archive", async () => {
    const [lower = Buffer.alloc(0), upper = Buffer.alloc(0)] = app.layers;
    const list = dockerList({ Config: "c.json", RepoTags: ["app:1"], Layers: ["a/layer.tar", "b/layer.tar"] });
    const archive = tarOf(
      { path: "a/layer.tar", type: "SymbolicLink", linkpath: "../shared/./layer.tar" },
      { path: "./shared/layer.tar", content: lower },
      { path: "elsewhere.tar", content: upper },
      { path: "b/layer.tar", type: "Link", linkpath: "elsewhere.tar" },
      { path: "c.json", content: app.config },
      list,
    );
    await load(archive);
    expect(await storedLayers("app:1")).toEqual(app.layers.map(digestOf));
  });

  it("of docker 25 and later is read as the layout that it is too, and gets the names of both lists", async () => {
    const config = `blobs/sha256/${hexOf(app.config)}`;
    const list = dockerList({
      Config: config,
      RepoTags: ["app:1"],
      Layers: app.compressed.map((layer) => `blobs/sha256/${hexOf(layer)}`),
    });
    const target = describe(ociManifest, app.manifest);
    expect(await load(tarOf(...blobsOf(app), list, layoutMarker, layoutIndex(target)))).toEqual([
      { ...loaded, names: ["docker.io/library/app:1"] },
    ]);
    expect(await store.record("docker.io/library/app:1")).toMatchObject({ target });
  });

  it("whose layout is not whole is read as docker's alone", async () => {
    const absent = describe(ociManifest, sampleImage("absent").manifest);
    for (const rest of [[layoutMarker, layoutIndex(absent)], [layoutMarker], [layoutIndex(absent)]]) {
      const archive = tarOf(...dockerEntries(app, ["app:1"]), ...rest);
      expect(await load(archive)).toEqual([{ ...loaded, names: ["docker.io/library/app:1"] }]);
    }
  });
});

group("an archive that is not as it must be", () => {
  const target = describe(ociManifest, app.manifest);
  const layout = [layoutMarker, layoutIndex({ ...target, ...named("app:1") })];
  const [layer = Buffer.alloc(0)] = app.compressed;
  const wrong = Buffer.from(layer).fill(7, layer.length - 8);
  const without = (entries: readonly TarEntry[], bytes: Buffer) => entries.filter((entry) => entry.content !== bytes);
  const docker = dockerEntries(app, ["app:1"]);
  const dockerWith = (change: object) => [
    ...docker.slice(0, -1),
    dockerList({
      Config: `${hexOf(app.config)}.json`,
      RepoTags: ["app:1"],
      Layers: app.layers.map((each) => `${hexOf(each)}/layer.tar`),
      ...change,
    }),
  ];
  const [lower, upper] = app.layers.map((each) => `${hexOf(each)}/layer.tar`);

  it.each<[string, Buffer | readonly TarEntry[], string, string]>([
    ["nothing", Buffer.alloc(0), "ARCHIVE_INVALID", "is empty"],
    ["two blocks of zeroes", Buffer.alloc(1024), "ARCHIVE_INVALID", "is empty"],
    ["no tar", Buffer.from("PK\u0003\u0004 no tar at all".repeat(100)), "ARCHIVE_INVALID", "is not a tar archive"],
    ["a few bytes", Buffer.from("hello"), "ARCHIVE_INVALID", "is not a tar archive"],
    ["xz", Buffer.from("fd377a585a000000", "hex"), "ARCHIVE_INVALID", "compressed in a way that is not read here"],
    [
      "gzip cut off",
      gzipSync(ociTar(app, "app:1")).subarray(0, 400),
      "ARCHIVE_INVALID",
      "the compressed data is damaged or cut off",
    ],
    [
      "another tar",
      [{ path: "etc/passwd", content: "root" }],
      "ARCHIVE_INVALID",
      "has neither oci-layout nor manifest.json",
    ],
    ["cut off in a header", ociTar(app, "app:1").subarray(0, 700 + 512), "ARCHIVE_INVALID", "ends in the middle"],
    [
      "cut off in a layer",
      tarOf(...layout, ...blobsOf(app)).subarray(0, -2000),
      "ARCHIVE_INVALID",
      "ends in the middle of",
    ],
    [
      "a damaged header",
      Buffer.concat([tarOf(layoutMarker).subarray(0, 1024), Buffer.alloc(512, 1)]),
      "ARCHIVE_INVALID",
      "has a damaged header at byte 1024",
    ],
    [
      "a size beyond all measure",
      [{ path: "pax", type: "ExtendedHeader", content: "14 size=1e+30\n" }, ...layout],
      "ARCHIVE_INVALID",
      "impossible size",
    ],
    ["a size beyond integers", beyondIntegers(tarOf(layoutMarker)), "ARCHIVE_INVALID", "is not a tar archive"],
    [
      "a name of 2 MiB",
      [{ path: "././@LongLink", type: "NextFileHasLongPath", content: "a".repeat(2 ** 21) }, ...layout],
      "ARCHIVE_INVALID",
      "has an extended header of 2097152 bytes",
    ],

    [
      "no oci-layout",
      [...layout.slice(1), ...blobsOf(app)],
      "ARCHIVE_INVALID",
      "has neither oci-layout nor manifest.json",
    ],
    [
      "another version",
      [{ path: "oci-layout", content: '{"imageLayoutVersion":"2.0.0"}' }, ...layout.slice(1), ...blobsOf(app)],
      "ARCHIVE_INVALID",
      "oci-layout.imageLayoutVersion: must be 1.0.0",
    ],
    ["no index.json", [layoutMarker, ...blobsOf(app)], "ARCHIVE_INVALID", '"index.json" is missing'],
    [
      "a link for oci-layout",
      [{ path: "oci-layout", type: "SymbolicLink", linkpath: "/etc/passwd" }, ...layout.slice(1)],
      "ARCHIVE_INVALID",
      '"oci-layout" leads out of the archive',
    ],
    ["an empty index", [layoutMarker, layoutIndex()], "ARCHIVE_INVALID", "index.json lists no image"],
    [
      "an index of 5 MiB",
      [layoutMarker, { path: "index.json", content: " ".repeat(5 * 2 ** 20) }],
      "ARCHIVE_INVALID",
      '"index.json" has 5242880 bytes, more than the 4194304',
    ],
    [
      "no manifest",
      [...layout, ...without(blobsOf(app), app.manifest)],
      "ARCHIVE_INVALID",
      "is missing, which the index names",
    ],
    [
      "no config",
      [...layout, ...without(blobsOf(app), app.config)],
      "ARCHIVE_INVALID",
      "is missing, which the manifest names",
    ],
    [
      "no layer",
      [...layout, ...without(blobsOf(app), layer)],
      "ARCHIVE_INVALID",
      "is missing, which manifest.layers[0] names",
    ],
    [
      "a wrong manifest",
      [...layout, ...blobsOf(app), { ...blob(app.manifest), content: `${app.manifest} `.slice(1) }],
      "DIGEST_MISMATCH",
      `expected ${target.digest}`,
    ],
    [
      "a longer manifest",
      [...layout, ...blobsOf(app), { ...blob(app.manifest), content: `${app.manifest} ` }],
      "SIZE_MISMATCH",
      `bytes for ${target.digest}, found more`,
    ],
    [
      "a wrong config",
      [...layout, ...blobsOf(app), { ...blob(app.config), content: `${app.config}`.replace("amd64", "arm64") }],
      "DIGEST_MISMATCH",
      `expected ${loaded.id}`,
    ],
    [
      "a wrong layer",
      [...layout, ...blobsOf(app), { ...blob(layer), content: wrong }],
      "DIGEST_MISMATCH",
      `expected ${digestOf(layer)}`,
    ],
    [
      "a shorter layer",
      [...layout, ...blobsOf(app), { ...blob(layer), content: layer.subarray(1) }],
      "SIZE_MISMATCH",
      `has ${layer.length - 1} bytes, but ${digestOf(layer)} is named with ${layer.length}`,
    ],
    [
      "a link for a layer",
      [
        ...layout,
        ...without(blobsOf(app), layer),
        { path: "copy", content: layer },
        { path: `blobs/sha256/${hexOf(layer)}`, type: "SymbolicLink", linkpath: "../../copy" },
      ],
      "ARCHIVE_INVALID",
      "is not a regular file",
    ],
    [
      "a link out for a layer",
      [
        ...layout,
        ...without(blobsOf(app), layer),
        { path: `blobs/sha256/${hexOf(layer)}`, type: "SymbolicLink", linkpath: "../../../etc/passwd" },
      ],
      "ARCHIVE_INVALID",
      "leads out of the archive",
    ],
    [
      "a name that is none",
      [layoutMarker, layoutIndex({ ...target, ...named("Bad/Name:1\n") }), ...blobsOf(app)],
      "ARCHIVE_INVALID",
      '"Bad/Name:1\\n" is no name for an image: invalid reference format',
    ],

    [
      "no JSON in manifest.json",
      [{ path: "manifest.json", content: "[" }],
      "ARCHIVE_INVALID",
      "manifest.json: a value is missing",
    ],
    [
      "a manifest.json of 5 MiB",
      [{ path: "manifest.json", content: " ".repeat(5 * 2 ** 20) }],
      "ARCHIVE_INVALID",
      '"manifest.json" has 5242880 bytes, more than the 4194304',
    ],
    [
      "a manifest.json of 1 GB, by its header",
      [{ path: "manifest.json", size: 10 ** 9 }],
      "ARCHIVE_INVALID",
      '"manifest.json" has 1000000000 bytes',
    ],
    ["an empty list", [dockerList()], "ARCHIVE_INVALID", "manifest.json lists no image"],
    [
      "an upward path to a layer",
      dockerWith({ Layers: ["../../../etc/passwd", upper] }),
      "ARCHIVE_INVALID",
      '"../../../etc/passwd" leads out of the archive',
    ],
    [
      "an absolute path to a layer",
      dockerWith({ Layers: ["/etc/passwd", upper] }),
      "ARCHIVE_INVALID",
      '"/etc/passwd" leads out of the archive',
    ],
    [
      "an upward path to the config",
      dockerWith({ Config: "../c.json" }),
      "ARCHIVE_INVALID",
      '"../c.json" leads out of the archive',
    ],
    [
      "a layer that links out",
      [...dockerWith({ Layers: ["out", upper] }), { path: "out", type: "SymbolicLink", linkpath: "../../etc/passwd" }],
      "ARCHIVE_INVALID",
      '"out" leads out of the archive',
    ],
    [
      "a layer that links nowhere",
      [...dockerWith({ Layers: ["out", upper] }), { path: "out", type: "SymbolicLink", linkpath: "gone" }],
      "ARCHIVE_INVALID",
      '"out" is a link to "gone", which is missing',
    ],
    [
      "a layer that links to itself",
      [...dockerWith({ Layers: ["out", upper] }), { path: "out", type: "SymbolicLink", linkpath: "out" }],
      "ARCHIVE_INVALID",
      '"out" is a link that leads nowhere',
    ],
    [
      "a layer that is absent",
      dockerWith({ Layers: [lower, "gone.tar"] }),
      "ARCHIVE_INVALID",
      '"gone.tar" is missing, which manifest.json names',
    ],
    ["too few layers", dockerWith({ Layers: [lower] }), "ARCHIVE_INVALID", "manifest.json lists 1 layers"],
    ["layers exchanged", dockerWith({ Layers: [upper, lower] }), "DIGEST_MISMATCH", "expected sha256:"],
    [
      "a wrong compressed layer",
      [...dockerWith({ Layers: ["x.gz", upper] }), { path: "x.gz", content: app.compressed[1] ?? "" }],
      "DIGEST_MISMATCH",
      `expected ${digestOf(app.layers[0] ?? "")} in "x.gz"`,
    ],
    [
      "a damaged compressed layer",
      [...dockerWith({ Layers: ["x.gz", upper] }), { path: "x.gz", content: layer.subarray(0, 60) }],
      "ARCHIVE_INVALID",
      '"x.gz" cannot be decompressed',
    ],
    [
      "a layer in bzip2",
      [...dockerWith({ Layers: ["x", upper] }), { path: "x", content: "BZh91AY&SY" }],
      "ARCHIVE_INVALID",
      '"x" is compressed in a way that layers of images are not',
    ],
    [
      "a config under another's digest",
      [...docker, { path: `${hexOf(app.config)}.json`, content: `${app.config} ` }],
      "DIGEST_MISMATCH",
      `expected ${loaded.id}`,
    ],
    [
      "a tag that is none",
      dockerWith({ RepoTags: ["ok:1", "../evil:1"] }),
      "ARCHIVE_INVALID",
      'manifest.json[0].RepoTags[1]: "../evil:1" is no name for an image',
    ],
    [
      "a tag that is no text",
      dockerWith({ RepoTags: [7] }),
      "ARCHIVE_INVALID",
      "manifest.json[0].RepoTags[0]: must be a string",
    ],
    [
      "both spellings",
      dockerWith({ layers: [] }),
      "ARCHIVE_INVALID",
      'manifest.json[0]: the key "layers" must be spelt "Layers"',
    ],
  ])("is refused: %s", async (_, archive, code, message) => {
    const bytes = Buffer.isBuffer(archive) ? archive : tarOf(...(archive as TarEntry[]));
    await expect(load(bytes)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await expect(load(bytes)).rejects.toThrow(`${join(folder, "archive.tar")}: `);
    expect(await store.images()).toEqual([]);
    expect(await store.record("docker.io/library/app:1")).toBeUndefined();
  });

  it("leaves nothing under a digest that its bytes do not have", async () => {
    await expect(load(tarOf(...layout, ...blobsOf(app), { ...blob(layer), content: wrong }))).rejects.toThrow();
    const lease = await store.lease();
    expect(await lease.has({ mediaType: "x/y", digest: parseDigest(digestOf(layer)), size: layer.length })).toBe(false);
    await lease.release();
    expect(await load(tarOf(...layout, ...blobsOf(app)))).toMatchObject([{ id: loaded.id }]);
  });

  it("shows no image before all have been checked", async () => {
    const other = sampleImage("other");
    const index = layoutIndex(
      { ...target, ...named("app:1") },
      { ...describe(ociManifest, other.manifest), ...named("other:1") },
    );
    const broken = without(blobsOf(other), other.compressed[1] ?? layer);
    await expect(load(tarOf(layoutMarker, index, ...blobsOf(app), ...broken))).rejects.toThrow("is missing");
    expect(await store.images()).toEqual([]);
  });

  it("is a folder with links, or something else altogether", async () => {
    const options = { platform: parsePlatform("linux/amd64") };
    const path = await unpackTo(join(folder, "layout"), [...layout, ...without(blobsOf(app), layer)]);
    await writeFile(join(folder, "layer"), layer);
    await symlink(join(folder, "layer"), join(path, `blobs/sha256/${hexOf(layer)}`));
    await expect(loadArchive(store, path, options)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining("is not a regular file"),
    });
    const linked = await unpackTo(join(folder, "linked"), layout);
    await symlink(join(path, "blobs"), join(linked, "blobs"));
    await expect(loadArchive(store, linked, options)).rejects.toThrow("is not a regular file");
    await expect(loadArchive(store, join(folder, "gone"), options)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(loadArchive(store, "/dev/null", options)).rejects.toThrow("is neither a file nor a folder");
  });
});
