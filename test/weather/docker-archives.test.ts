/** Archives in docker's format that lead out of themselves, or are not what they say. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { contentOf, dockerEntries, type Entry, firstLayer, headerOf, hexOf, replaced, tarOf } from "./archive-files.ts";
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

describe("docker's archives", () => {
  const layerPath = () => `${hexOf(firstLayer(image))}/layer.tar`;
  const rows: readonly (readonly [string, () => Entry[], ErrorCode | readonly ErrorCode[], RegExp])[] = [
    [
      "with a layer above them",
      () => dockerEntries(image, { Layers: ["../secret", "../secret"] }),
      "ARCHIVE_INVALID",
      /secret/,
    ],
    [
      "with a layer at an absolute path",
      () => dockerEntries(image, { Layers: ["/etc/passwd", "/etc/passwd"] }),
      "ARCHIVE_INVALID",
      /passwd/,
    ],
    ["with a config above them", () => dockerEntries(image, { Config: "a/../../secret" }), "ARCHIVE_INVALID", /secret/],
    [
      "with a layer that is a link out of them",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), link: "../../secret" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a link to an absolute path",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), link: "/etc/passwd" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a hard link out of them",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), link: "../secret", hard: true } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a link to itself",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), link: "layer.tar" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "with a layer that is a pipe",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), type: "FIFO" } }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    [
      "without a layer",
      () => replaced(dockerEntries(image), { [layerPath()]: undefined }),
      "ARCHIVE_INVALID",
      /layer\.tar/,
    ],
    ["without a config", () => dockerEntries(image, { Config: "missing.json" }), "ARCHIVE_INVALID", /missing\.json/],
    ["with a layer too few", () => dockerEntries(image, { Layers: [layerPath()] }), "ARCHIVE_INVALID", /1 layers?/],
    [
      "with the wrong layer",
      () => replaced(dockerEntries(image), { [layerPath()]: { path: layerPath(), content: "not the layer" } }),
      "DIGEST_MISMATCH",
      /sha256/,
    ],
    [
      "with a layer that is damaged",
      () =>
        replaced(dockerEntries(image), {
          [layerPath()]: { path: layerPath(), content: contentOf(image, firstLayer(image)).subarray(0, 60) },
        }),
      ["ARCHIVE_INVALID", "DIGEST_MISMATCH"],
      /layer\.tar|sha256/,
    ],
    [
      "with a name in capitals",
      () => dockerEntries(image, { RepoTags: ["team/App:1"] }),
      "ARCHIVE_INVALID",
      /team\/App/,
    ],
    [
      "with a name of two lines",
      () => dockerEntries(image, { RepoTags: ["team/app:1\nhost: x"] }),
      "ARCHIVE_INVALID",
      /name/,
    ],
    ["with a name that is a number", () => dockerEntries(image, { RepoTags: [5] }), "ARCHIVE_INVALID", /RepoTags/],
    [
      "with a list that is none",
      () => replaced(dockerEntries(image), { "manifest.json": { path: "manifest.json", content: "{}" } }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
    [
      "with a list that is empty",
      () => replaced(dockerEntries(image), { "manifest.json": { path: "manifest.json", content: "[]" } }),
      "ARCHIVE_INVALID",
      /no image/,
    ],
    [
      "with a list that is not JSON",
      () => replaced(dockerEntries(image), { "manifest.json": { path: "manifest.json", content: "[{" } }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
    [
      "with a list of 5 MiB",
      () =>
        replaced(dockerEntries(image), {
          "manifest.json": { path: "manifest.json", content: " ".repeat(5 * 2 ** 20) },
        }),
      "ARCHIVE_INVALID",
      /manifest\.json/,
    ],
  ];
  test.each(rows)("%s", async (_what, entries, code, says) => {
    await expectRefused(tarOf(entries()), code, says);
  });

  test("with a config under another digest's name", async () => {
    const entries = dockerEntries(image, { Config: `${"0".repeat(64)}.json` });
    const config = {
      path: `${"0".repeat(64)}.json`,
      content: contentOf(image, image.manifests[0]?.config.digest ?? ""),
    };
    await expectRefused(tarOf([...entries, config]), "DIGEST_MISMATCH", /0000/);
  });

  test("with a list of 1 GB, which is not read", async () => {
    const path = join(folder, "image.tar");
    await writeFile(path, headerOf({ path: "manifest.json", type: "File", size: 2 ** 30 }));
    await truncate(path, 2 ** 30 + 512);
    expectFailure(await victim.loadFailure(path), { code: "ARCHIVE_INVALID", side: path, says: /manifest\.json/ });
  });
});
