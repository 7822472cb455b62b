/** What is no archive, or half of one. Nothing of an archive is extracted, and of a damaged one nothing is kept. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Pax } from "tar";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { blobPath, dockerEntries, firstLayer, headerOf, ociEntries, replaced, tarOf } from "./archive-files.ts";
import { expectEmpty, expectFailure, openVictim, type Victim } from "./victim.ts";

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

async function expectRefused(bytes: Uint8Array, code: ErrorCode | readonly ErrorCode[], says?: RegExp): Promise<void> {
  const path = join(folder, "image.tar");
  await writeFile(path, bytes);
  expectFailure(await victim.loadFailure(path), { code, side: path, ...(says && { says }) });
  await expectEmpty(victim);
}

test.each([
  ["docker's", () => dockerEntries(image)],
  ["an OCI layout's", () => ociEntries(image)],
])("a sound archive is loaded: %s", async (_kind, entries) => {
  const path = join(folder, "image.tar");
  await writeFile(path, tarOf(entries()));
  const [loaded] = await victim.load(path);
  expect(loaded?.names).toEqual(["docker.io/team/app:1"]);
  expect(loaded?.id).toBe(image.manifests[0]?.config.digest);
});

describe("what is no archive, or half of one", () => {
  const sound = () => tarOf(ociEntries(image));
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
    const [loaded] = await victim.load(path);
    expect(loaded?.names).toEqual(["docker.io/team/app:1"]);
  });

  test("a file that is not there", async () => {
    const path = join(folder, "missing.tar");
    expectFailure(await victim.loadFailure(path), { code: "INPUT_UNREADABLE", side: path });
  });

  test("a device is not read", async () => {
    expectFailure(await victim.loadFailure("/dev/zero"), { code: "ARCHIVE_INVALID", side: "/dev/zero" });
  });

  test("an empty folder", async () => {
    expectFailure(await victim.loadFailure(folder), { code: "ARCHIVE_INVALID", side: folder });
  });

  test("a sound image beside a damaged one is not kept either", async () => {
    const other = await buildImage({ layers: [{ files: { a: "b" } }] });
    const path = join(folder, "image.tar");
    const blobs = [...other.content.values()].map(({ descriptor, bytes }) => ({
      path: blobPath(descriptor.digest),
      content: bytes,
    }));
    const list = { schemaVersion: 2, manifests: [other.target, image.target] };
    const entries = replaced(ociEntries(image), {
      "index.json": { path: "index.json", content: JSON.stringify(list) },
      [blobPath(firstLayer(image))]: { path: blobPath(firstLayer(image)), content: "wrong" },
    });
    await writeFile(path, tarOf([...entries, ...blobs]));
    expectFailure(await victim.loadFailure(path), { code: ["DIGEST_MISMATCH", "SIZE_MISMATCH"], side: path });
    await expectEmpty(victim);
  });
});
