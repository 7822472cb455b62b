import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeBytes } from "../src/registry/testing.ts";
import { leaveDamaged, readAgain, readAgainAfterTest, wrongBytes } from "./bytes-on-disk.ts";

async function storeWith(...contents: readonly Buffer[]) {
  const folder = await mkdtemp(join(tmpdir(), "pulley-bytes-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const blobs = join(folder, "io.containerd.content.v1.content", "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const paths: string[] = [];
  for (const content of contents) {
    const path = join(blobs, describeBytes(content).digest.replace("sha256:", ""));
    await writeFile(path, content);
    paths.push(path);
  }
  return { folder, paths };
}

test("right bytes are right, and other files are not looked at", async () => {
  const { folder, paths } = await storeWith(randomBytes(300_000), Buffer.alloc(0));
  await writeFile(`${paths[0]}.lock`, "not a blob");
  const unpacked = join(folder, "io.containerd.snapshotter.v1.overlayfs", "snapshots", "blobs", "sha256");
  await mkdir(unpacked, { recursive: true });
  await writeFile(join(unpacked, "a".repeat(64)), "of an image, not of the store");
  expect(await wrongBytes(folder)).toEqual([]);
});

test("one wrong byte is found, though the length is right, and though the file was right before", async () => {
  const content = randomBytes(300_000);
  const { folder, paths } = await storeWith(randomBytes(10), content);
  expect(await wrongBytes(folder)).toEqual([]);
  content[200_000] = 1 ^ (content[200_000] ?? 0);
  await writeFile(paths[1] ?? "", content);
  expect(await wrongBytes(folder)).toEqual([
    expect.stringMatching(/^io\.containerd\.content\.v1\.content\/blobs\/sha256\/[0-9a-f]{64}: sha256\//),
  ]);
});

test("pieces in another order are found, and the end of the test finds them", async () => {
  const content = randomBytes(300_000);
  const { folder, paths } = await storeWith(content);
  await writeFile(paths[0] ?? "", Buffer.concat([content.subarray(100), content.subarray(0, 100)]));
  readAgainAfterTest(folder);
  await expect(readAgain()).rejects.toThrow("wrong bytes on the disk");
  readAgainAfterTest(folder);
  leaveDamaged(folder);
  await readAgain();
});
