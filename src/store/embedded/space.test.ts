import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, stat, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tool } from "../../../test/tools.ts";
import { ensureRoom } from "../free-space.ts";
import { blobsOf, bring, pullSample, recordOf, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

const MiB = 1024 * 1024;

/** A file system of so many bytes, of which so many are free. */
function fileSystem(bytes: number, free: number) {
  return () => Promise.resolve({ bsize: 4096, blocks: bytes / 4096, bavail: free / 4096, files: 1000, ffree: 500 });
}

describe("room for a download", () => {
  test.each([
    { bytes: 36 * MiB, size: 2 ** 36, free: 100 * MiB },
    { bytes: 90 * MiB, size: 1000 * MiB, free: 100 * MiB },
    { bytes: 0, size: 2 ** 36, free: 0 },
  ])("$bytes bytes fit into $free of $size", async ({ bytes, size, free }) => {
    await expect(ensureRoom("/store", bytes, fileSystem(size, free))).resolves.toBeUndefined();
  });

  test.each([
    { bytes: 36 * MiB + 1, size: 2 ** 36, free: 100 * MiB },
    { bytes: 90 * MiB + 1, size: 1000 * MiB, free: 100 * MiB },
    { bytes: 1, size: 2 ** 36, free: 0 },
  ])("$bytes bytes do not fit into $free of $size", async ({ bytes, size, free }) => {
    await expect(ensureRoom("/store", bytes, fileSystem(size, free))).rejects.toMatchObject({ code: "DISK_FULL" });
  });

  test("the message has both numbers, for people and exactly", async () => {
    const root = await temporaryRoot();
    const store = await openEmbeddedStore(root, { statfs: fileSystem(2 ** 36, 8192) });
    const lease = await store.lease();
    await expect(lease.ensureRoom(62_500_000)).rejects.toMatchObject({
      message:
        "62.5 MB (62500000 bytes) and a reserve of 67.1 MB (67108864 bytes) are needed, " +
        `but ${root} has only 8.2 kB (8192 bytes) free`,
    });
    await store.close();
  });
});

/** A disk of eight megabytes, where this machine lets us mount one. */
const disk = mountDisk();

function mountDisk(): string | undefined {
  const mount = tool("mount");
  if (process.platform !== "linux" || process.getuid?.() !== 0 || mount === undefined) return undefined;
  const path = mkdtempSync(join(tmpdir(), "pulley-disk-"));
  try {
    execFileSync(mount, ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path], { stdio: "ignore" });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

describe.skipIf(disk === undefined)("a full disk (needs root, to mount one)", () => {
  let path: string;
  beforeAll(() => {
    path = disk ?? expect.unreachable();
  });
  afterAll(() => {
    execFileSync("umount", [path]);
    rmSync(path, { recursive: true });
  });

  test("fails a put cleanly, and is usable once there is room again", async () => {
    const store = await openEmbeddedStore(join(path, "store"));
    const small = sampleImage("small");
    await pullSample(store, small, ["docker.io/library/small:latest"]);
    const large = sampleImage("large", { layers: [Buffer.alloc(6 * MiB, "large")] });
    const filler = join(path, "filler");
    const free = await freeBytes(path);
    await writeFile(filler, Buffer.alloc(5 * MiB));

    const lease = await store.lease();
    try {
      const layer = large.layers[0] ?? expect.unreachable();
      await expect(lease.ensureRoom(layer.bytes.length)).rejects.toMatchObject({ code: "DISK_FULL" });
      await expect(lease.put(layer.descriptor, layer.bytes)).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(await lease.has(layer.descriptor)).toBe(false);
      expect(await readdir(join(path, "store", "ingest"))).toEqual([]);

      await writeFile(filler, "");
      // A process that another test is just starting holds every open file until it runs its program, the deleted one too.
      await expect.poll(() => freeBytes(path)).toBeGreaterThan(free - MiB / 4);
      await bring(lease, large);
      await lease.publish([recordOf(large, "docker.io/library/large:latest")]);
      for await (const { state } of store.verify()) expect(state).toBe("sound");
    } finally {
      await lease.release();
      await store.close();
    }
  });

  test("does not stand in the way of removing an image", async () => {
    const store = await openEmbeddedStore(join(path, "store"));
    const filler = join(path, "filler");
    await writeFile(filler, Buffer.alloc(8 * MiB)).catch(() => undefined);
    const full = await stat(filler);
    expect(full.size).toBeGreaterThan(0);
    const { freed } = await store.remove("large");
    const large = sampleImage("large", { layers: [Buffer.alloc(6 * MiB, "large")] });
    expect(freed).toBeGreaterThanOrEqual(blobsOf(large).reduce((sum, { descriptor }) => sum + descriptor.size, 0));
    await store.close();
    const again = await openEmbeddedStore(join(path, "store"));
    expect((await again.images()).flatMap(({ repoTags }) => repoTags)).toEqual(["docker.io/library/small:latest"]);
    await again.close();
  });
});
