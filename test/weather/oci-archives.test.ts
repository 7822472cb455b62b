/** OCI layouts, as archives and as folders, that are not what they say. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { blobPath, contentOf, type Entry, firstLayer, hexOf, ociEntries, replaced, tarOf } from "./archive-files.ts";
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

describe("OCI layouts", () => {
  const layer = () => blobPath(firstLayer(image));
  const config = () => blobPath(image.manifests[0]?.config.digest ?? "");
  const manifest = () => blobPath(image.target.digest);
  const index = (value: unknown): Entry => ({
    path: "index.json",
    content: typeof value === "string" ? value : JSON.stringify(value),
  });
  const flipped = (path: string, digest: string): Entry => ({
    path,
    content: contentOf(image, digest).map((byte) => byte ^ 1),
  });
  const rows: readonly (readonly [string, () => Entry[], ErrorCode | readonly ErrorCode[]])[] = [
    [
      "with wrong bytes in a layer",
      () => replaced(ociEntries(image), { [layer()]: flipped(layer(), firstLayer(image)) }),
      "DIGEST_MISMATCH",
    ],
    [
      "with wrong bytes in a config",
      () => replaced(ociEntries(image), { [config()]: flipped(config(), image.manifests[0]?.config.digest ?? "") }),
      "DIGEST_MISMATCH",
    ],
    [
      "with wrong bytes in a manifest",
      () => replaced(ociEntries(image), { [manifest()]: flipped(manifest(), image.target.digest) }),
      "DIGEST_MISMATCH",
    ],
    [
      "with a layer that is too long",
      () =>
        replaced(ociEntries(image), {
          [layer()]: { path: layer(), content: Buffer.concat([contentOf(image, firstLayer(image)), Buffer.of(0)]) },
        }),
      "SIZE_MISMATCH",
    ],
    ["without a layer", () => replaced(ociEntries(image), { [layer()]: undefined }), "ARCHIVE_INVALID"],
    [
      "with a layer that is a link out of them",
      () => replaced(ociEntries(image), { [layer()]: { path: layer(), link: "../../../secret" } }),
      "ARCHIVE_INVALID",
    ],
    [
      "with a blob that is a link to another",
      () => replaced(ociEntries(image), { [layer()]: { path: layer(), link: hexOf(image.target.digest) } }),
      "ARCHIVE_INVALID",
    ],
    ["without oci-layout", () => replaced(ociEntries(image), { "oci-layout": undefined }), "ARCHIVE_INVALID"],
    [
      "of another version",
      () =>
        replaced(ociEntries(image), {
          "oci-layout": { path: "oci-layout", content: '{"imageLayoutVersion":"2.0.0"}' },
        }),
      "ARCHIVE_INVALID",
    ],
    ["without an index", () => replaced(ociEntries(image), { "index.json": undefined }), "ARCHIVE_INVALID"],
    [
      "with an index of nothing",
      () => replaced(ociEntries(image), { "index.json": index({ schemaVersion: 2, manifests: [] }) }),
      "ARCHIVE_INVALID",
    ],
    [
      "with an index that leads out of them",
      () =>
        replaced(ociEntries(image), {
          "index.json": index({ schemaVersion: 2, manifests: [{ ...image.target, digest: "sha256:../../../secret" }] }),
        }),
      ["ARCHIVE_INVALID", "MANIFEST_INVALID"],
    ],
    [
      "with an index that is not JSON",
      () => replaced(ociEntries(image), { "index.json": index("{") }),
      ["ARCHIVE_INVALID", "MANIFEST_INVALID"],
    ],
    [
      "with a name that is none",
      () =>
        replaced(ociEntries(image), {
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
    for (const entry of ociEntries(image)) {
      if (!("content" in entry)) continue;
      await mkdir(join(root, entry.path, ".."), { recursive: true });
      await writeFile(join(root, entry.path), entry.content);
    }
    const place = where(root);
    await rm(place, { recursive: true });
    await symlink(join(folder, "secret"), place);
    expectFailure(await victim.loadFailure(root), { code: "ARCHIVE_INVALID", side: root });
    await expectEmpty(victim);
  });
});
