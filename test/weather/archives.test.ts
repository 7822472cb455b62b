/** Archives that are damaged, lead out of themselves, or are no archives. Nothing of them is extracted, and nothing kept. */
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Header, Pax } from "tar";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage, digestOf } from "../../examples/world/image-builder.ts";
import { loadArchive } from "../../src/store/archive/index.ts";
import { type ErrorCode, PulleyError } from "../../src/support/errors.ts";
import { expectEmpty, expectFailure, openVictim, type Victim } from "./victim.ts";

/** An entry of a tar: a file's content, a link, or anything else that a header can say. */
type Entry = { readonly path: string } & (
  | { readonly content: string | Uint8Array }
  | { readonly link: string; readonly hard?: true }
  | { readonly type: "FIFO" | "Directory" | "CharacterDevice" }
  | { readonly bytes: Uint8Array }
);

const platform = { os: "linux", architecture: "amd64", variant: "" };

let folder: string;
let image: BuiltImage;
let victim: Victim;
beforeAll(async () => {
  image = await buildImage({ layers: [{ files: { "etc/motd": "hello\n" } }, { filler: 2000 }] });
});
beforeEach(async () => {
  victim = await openVictim();
  folder = await mkdtemp(join(tmpdir(), "pulley-archives-"));
  await writeFile(join(folder, "secret"), "what lies beside the archive\n");
});
afterEach(async () => {
  await victim.close();
  await rm(folder, { recursive: true, force: true });
});

function headerOf(fields: ConstructorParameters<typeof Header>[0]): Buffer {
  const block = Buffer.alloc(512);
  new Header({ mode: 0o644, mtime: new Date(0), ...(fields as object) }).encode(block);
  return block;
}

function entryOf(entry: Entry): Buffer {
  const { path } = entry;
  if ("bytes" in entry) return Buffer.from(entry.bytes);
  if ("link" in entry)
    return headerOf({ path, type: entry.hard ? "Link" : "SymbolicLink", linkpath: entry.link, size: 0 });
  if ("type" in entry) return headerOf({ path, type: entry.type, size: 0 });
  const content = Buffer.from(entry.content);
  return Buffer.concat([
    headerOf({ path, type: "File", size: content.length }),
    content,
    Buffer.alloc(-content.length & 511),
  ]);
}

function tarOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), Buffer.alloc(1024)]);
}

function contentOf(digest: string): Buffer {
  const found = [...image.content.values()].find(({ descriptor }) => descriptor.digest === digest);
  return found?.bytes ?? Buffer.alloc(0);
}

/** What `docker save` writes of the image, to be changed. */
function dockerEntries(change: Record<string, unknown> = {}): Entry[] {
  const [manifest] = image.manifests;
  const config = manifest?.config.digest ?? "";
  const layers = manifest?.layers.map(({ digest }) => digest) ?? [];
  const list = [
    {
      Config: `${hexOf(config)}.json`,
      RepoTags: ["team/app:1"],
      Layers: layers.map((digest) => `${hexOf(digest)}/layer.tar`),
      ...change,
    },
  ];
  return [
    { path: "manifest.json", content: JSON.stringify(list) },
    { path: `${hexOf(config)}.json`, content: contentOf(config) },
    ...layers.map((digest) => ({ path: `${hexOf(digest)}/layer.tar`, content: contentOf(digest) })),
  ];
}

/** An OCI layout of the image, to be changed. */
function ociEntries(): Entry[] {
  const annotations = { "org.opencontainers.image.ref.name": "docker.io/team/app:1" };
  const index = { schemaVersion: 2, manifests: [{ ...image.target, annotations }] };
  return [
    { path: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: "index.json", content: JSON.stringify(index) },
    ...[...image.content.values()].map(({ descriptor, bytes }) => ({
      path: blobPath(descriptor.digest),
      content: bytes,
    })),
  ];
}

function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}

function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function firstLayer(): string {
  return image.manifests[0]?.layers[0]?.digest ?? "";
}

/** The entries with some of them replaced, by their paths; `undefined` leaves one out. */
function replaced(entries: readonly Entry[], changes: Readonly<Record<string, Entry | undefined>>): Entry[] {
  return entries.flatMap((entry) => (Object.hasOwn(changes, entry.path) ? (changes[entry.path] ?? []) : entry));
}

async function failureOf(path: string): Promise<PulleyError> {
  const outcome = await loadArchive(victim.store, path, { platform }).then(
    () => "the archive was loaded",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PulleyError);
  return outcome as PulleyError;
}

async function expectRefused(bytes: Uint8Array, code: ErrorCode | readonly ErrorCode[], says?: RegExp): Promise<void> {
  const path = join(folder, "image.tar");
  await writeFile(path, bytes);
  expectFailure(await failureOf(path), { code, side: path, ...(says && { says }) });
  await expectEmpty(victim);
}

test.each([
  ["docker's", () => dockerEntries()],
  ["an OCI layout's", () => ociEntries()],
])("a sound archive is loaded: %s", async (_kind, entries) => {
  const path = join(folder, "image.tar");
  await writeFile(path, tarOf(entries()));
  const [loaded] = await loadArchive(victim.store, path, { platform });
  expect(loaded?.names).toEqual(["docker.io/team/app:1"]);
  expect(loaded?.id).toBe(image.manifests[0]?.config.digest);
});

describe("docker's archives", () => {
  const layerPath = () => `${hexOf(firstLayer())}/layer.tar`;
  const rows: readonly (readonly [string, () => Entry[], ErrorCode | readonly ErrorCode[], RegExp])[] = [
    [
      "with a layer above them",
      () => dockerEntries({ Layers: ["../secret", "../secret"] }),
      "ARCHIVE_INVALID",
      /secret/,
    ],
    [
      "with a layer at an absolute path",
      () => dockerEntries({ Layers: ["/etc/passwd", "/etc/passwd"] }),
      "ARCHIVE_INVALID",
      /passwd/,
    ],
    ["with a config above them", () => dockerEntries({ Config: "a/../../secret" }), "ARCHIVE_INVALID", /secret/],
    [
      "with a layer that is a link out of them",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), link: "../../secret" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a link to an absolute path",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), link: "/etc/passwd" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a hard link out of them",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), link: "../secret", hard: true } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a link to itself",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), link: "layer.tar" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a pipe",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), type: "FIFO" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    ["without a layer", () => replaced(dockerEntries(), { [layerPath()]: undefined }), "ARCHIVE_INVALID", /layer\.tar/],
    ["without a config", () => dockerEntries({ Config: "missing.json" }), "ARCHIVE_INVALID", /missing\.json/],
    ["with a layer too few", () => dockerEntries({ Layers: [layerPath()] }), "ARCHIVE_INVALID", /1 layers?/],
    [
      "with the wrong layer",
      () => replaced(dockerEntries(), { [layerPath()]: { path: layerPath(), content: "not the layer" } }),
      "DIGEST_MISMATCH",
      /sha256/,
    ],
    [
      "with a layer that is damaged",
      () =>
        replaced(dockerEntries(), {
          [layerPath()]: { path: layerPath(), content: contentOf(firstLayer()).subarray(0, 60) },
        }),
      ["ARCHIVE_INVALID", "DIGEST_MISMATCH"],
      /layer\.tar|sha256/,
    ],
    ["with a name in capitals", () => dockerEntries({ RepoTags: ["team/App:1"] }), "ARCHIVE_INVALID", /team\/App/],
    ["with a name of two lines", () => dockerEntries({ RepoTags: ["team/app:1\nhost: x"] }), "ARCHIVE_INVALID", /name/],
    ["with a name that is a number", () => dockerEntries({ RepoTags: [5] }), "ARCHIVE_INVALID", /RepoTags/],
    [
      "with a list that is none",
      () => replaced(dockerEntries(), { "manifest.json": { path: "manifest.json", content: "{}" } }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
    [
      "with a list that is empty",
      () => replaced(dockerEntries(), { "manifest.json": { path: "manifest.json", content: "[]" } }),
      "ARCHIVE_INVALID",
      /no image/,
    ],
    [
      "with a list that is not JSON",
      () => replaced(dockerEntries(), { "manifest.json": { path: "manifest.json", content: "[{" } }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
    [
      "with a list of 2 MiB",
      () => replaced(dockerEntries(), { "manifest.json": { path: "manifest.json", content: " ".repeat(2 ** 21) } }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
  ];
  test.each(rows)("%s", async (_what, entries, code, says) => {
    await expectRefused(tarOf(entries()), code, says);
  });

  test("with a config under another digest's name", async () => {
    const entries = dockerEntries({ Config: `${"0".repeat(64)}.json` });
    const config = { path: `${"0".repeat(64)}.json`, content: contentOf(image.manifests[0]?.config.digest ?? "") };
    await expectRefused(tarOf([...entries, config]), "DIGEST_MISMATCH", /0000/);
  });

  test("with a list of 1 GB, which is not read", async () => {
    const path = join(folder, "image.tar");
    await writeFile(path, headerOf({ path: "manifest.json", type: "File", size: 2 ** 30 }));
    await truncate(path, 2 ** 30 + 512);
    expectFailure(await failureOf(path), { code: "ARCHIVE_INVALID", side: path, says: /manifest\.json/ });
  });
});

describe("OCI layouts", () => {
  const layer = () => blobPath(firstLayer());
  const config = () => blobPath(image.manifests[0]?.config.digest ?? "");
  const manifest = () => blobPath(image.target.digest);
  const index = (value: unknown): Entry => ({
    path: "index.json",
    content: typeof value === "string" ? value : JSON.stringify(value),
  });
  const flipped = (path: string, digest: string): Entry => ({
    path,
    content: contentOf(digest).map((byte) => byte ^ 1),
  });
  const rows: readonly (readonly [string, () => Entry[], ErrorCode | readonly ErrorCode[]])[] = [
    [
      "with wrong bytes in a layer",
      () => replaced(ociEntries(), { [layer()]: flipped(layer(), firstLayer()) }),
      "DIGEST_MISMATCH",
    ],
    [
      "with wrong bytes in a config",
      () => replaced(ociEntries(), { [config()]: flipped(config(), image.manifests[0]?.config.digest ?? "") }),
      "DIGEST_MISMATCH",
    ],
    [
      "with wrong bytes in a manifest",
      () => replaced(ociEntries(), { [manifest()]: flipped(manifest(), image.target.digest) }),
      "DIGEST_MISMATCH",
    ],
    [
      "with a layer that is too long",
      () =>
        replaced(ociEntries(), {
          [layer()]: { path: layer(), content: Buffer.concat([contentOf(firstLayer()), Buffer.of(0)]) },
        }),
      "SIZE_MISMATCH",
    ],
    ["without a layer", () => replaced(ociEntries(), { [layer()]: undefined }), "ARCHIVE_INVALID"],
    [
      "with a layer that is a link out of them",
      () => replaced(ociEntries(), { [layer()]: { path: layer(), link: "../../../secret" } }),
      "ARCHIVE_INVALID",
    ],
    [
      "with a blob that is a link to another",
      () => replaced(ociEntries(), { [layer()]: { path: layer(), link: hexOf(image.target.digest) } }),
      "ARCHIVE_INVALID",
    ],
    ["without oci-layout", () => replaced(ociEntries(), { "oci-layout": undefined }), "ARCHIVE_INVALID"],
    [
      "of another version",
      () => replaced(ociEntries(), { "oci-layout": { path: "oci-layout", content: '{"imageLayoutVersion":"2.0.0"}' } }),
      "ARCHIVE_INVALID",
    ],
    ["without an index", () => replaced(ociEntries(), { "index.json": undefined }), "ARCHIVE_INVALID"],
    [
      "with an index of nothing",
      () => replaced(ociEntries(), { "index.json": index({ schemaVersion: 2, manifests: [] }) }),
      "ARCHIVE_INVALID",
    ],
    [
      "with an index that leads out of them",
      () =>
        replaced(ociEntries(), {
          "index.json": index({ schemaVersion: 2, manifests: [{ ...image.target, digest: "sha256:../../../secret" }] }),
        }),
      ["ARCHIVE_INVALID", "MANIFEST_INVALID"],
    ],
    [
      "with an index that is not JSON",
      () => replaced(ociEntries(), { "index.json": index("{") }),
      ["ARCHIVE_INVALID", "MANIFEST_INVALID"],
    ],
    [
      "with a name that is none",
      () =>
        replaced(ociEntries(), {
          "index.json": index({
            schemaVersion: 2,
            manifests: [{ ...image.target, annotations: { "io.containerd.image.name": "a//b" } }],
          }),
        }),
      "ARCHIVE_INVALID",
    ],
  ];
  test.each(rows)("%s", async (_what, entries, code) => {
    await expectRefused(tarOf(entries()), code);
  });

  test.each([
    ["a blob", (root: string) => join(root, layer())],
    ["the index", (root: string) => join(root, "index.json")],
    ["the folder of blobs", (root: string) => join(root, "blobs")],
  ])("in a folder, with %s that is a link, are refused", async (_what, where) => {
    const root = join(folder, "layout");
    for (const entry of ociEntries()) {
      if (!("content" in entry)) continue;
      await mkdir(join(root, entry.path, ".."), { recursive: true });
      await writeFile(join(root, entry.path), entry.content);
    }
    const place = where(root);
    await rm(place, { recursive: true });
    await symlink(join(folder, "secret"), place);
    expectFailure(await failureOf(root), { code: "ARCHIVE_INVALID", side: root });
    await expectEmpty(victim);
  });
});

describe("what is no archive, or half of one", () => {
  const sound = () => tarOf(ociEntries());
  /** A header whose size is written in base 256, as GNU tar writes what does not fit. */
  const withSize = (size: bigint): Buffer => {
    const block = headerOf({ path: "oci-layout", type: "File", size: 0 });
    block.writeBigInt64BE(size, 128);
    block.writeUInt32BE(size < 0n ? 0xffffffff : 0x80000000, 124);
    block.write("        ", 148);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return block;
  };
  const rows: readonly (readonly [string, () => Uint8Array])[] = [
    ["an empty file", () => Buffer.alloc(0)],
    ["a file of zeros", () => Buffer.alloc(10_240)],
    ["a text", () => Buffer.from("not an archive\n".repeat(100))],
    ["a short text", () => Buffer.from("hello")],
    ["an archive of nothing", () => tarOf([])],
    ["an archive of something else", () => tarOf([{ path: "readme", content: "hello" }])],
    ["an archive that ends in a header", () => sound().subarray(0, 700)],
    ["an archive that ends in a layer", () => sound().subarray(0, 3000)],
    ["an archive with a damaged header", () => sound().fill(7, 1024, 1030)],
    ["a compressed archive that ends early", () => gzipSync(sound()).subarray(0, 400)],
    ["a compressed text", () => gzipSync("hello")],
    [
      "a file that is compressed with xz",
      () => Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, ...Buffer.alloc(600)]),
    ],
    ["an archive with a file of 8 EiB", () => Buffer.concat([withSize(2n ** 62n), sound()])],
    [
      "an archive with an extended header of 1 GB",
      () => Buffer.concat([headerOf({ path: "x", type: "ExtendedHeader", size: 2 ** 30 }), sound()]),
    ],
  ];
  test.each(rows)("%s is refused", async (_what, bytes) => {
    await expectRefused(bytes(), "ARCHIVE_INVALID");
  });

  test.each([
    ["minus one block", () => withSize(-512n)],
    ["minus one byte", () => withSize(-1n)],
    ["minus one block, says an extended header", () => new Pax({ path: "oci-layout", size: -512 }).encode()],
  ])("a file of %s does not lead backwards", async (_what, first) => {
    const path = join(folder, "image.tar");
    await writeFile(path, Buffer.concat([first(), sound()]));
    const [loaded] = await loadArchive(victim.store, path, { platform });
    expect(loaded?.names).toEqual(["docker.io/team/app:1"]);
  });

  test("a file that is not there", async () => {
    const path = join(folder, "missing.tar");
    expectFailure(await failureOf(path), { code: "INPUT_UNREADABLE", side: path });
  });

  test("a device is not read", async () => {
    expectFailure(await failureOf("/dev/zero"), { code: "ARCHIVE_INVALID", side: "/dev/zero" });
  });

  test("an empty folder", async () => {
    expectFailure(await failureOf(folder), { code: "ARCHIVE_INVALID", side: folder });
  });

  test("a sound image beside a damaged one is not kept either", async () => {
    const other = await buildImage({ layers: [{ files: { a: "b" } }] });
    const path = join(folder, "image.tar");
    const blobs = [...other.content.values()].map(({ descriptor, bytes }) => ({
      path: blobPath(descriptor.digest),
      content: bytes,
    }));
    const list = { schemaVersion: 2, manifests: [other.target, image.target] };
    const entries = replaced(ociEntries(), {
      "index.json": { path: "index.json", content: JSON.stringify(list) },
      [blobPath(firstLayer())]: { path: blobPath(firstLayer()), content: "wrong" },
    });
    await writeFile(path, tarOf([...entries, ...blobs]));
    expectFailure(await failureOf(path), { code: ["DIGEST_MISMATCH", "SIZE_MISMATCH"], side: path });
    expect(digestOf(contentOf(image.target.digest))).toBe(image.target.digest);
    await expectEmpty(victim);
  });
});
