/** The store on the file systems that nodes have: whole pulls, pulls that are killed, and disks that are full. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, digestOf } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type FileSystem, mountFileSystem } from "../file-system.ts";
import { describeWith } from "../tools.ts";
import { pulley, runProgram } from "./pulley.ts";

const MB = 1_000_000;
const types: readonly FileSystem[] = ["ext4", "xfs", "btrfs", "tmpfs", "overlay"];
const isRoot = process.getuid?.() === 0;

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  registry.addImage(
    "team/app:1",
    await buildImage({ layers: [{ filler: 3 * MB }, { filler: 1.5 * MB }, { filler: 20_000 }] }),
  );
  registry.addImage("team/app:2", await buildImage({ layers: [{ filler: 5 * MB }], seed: "two" }));
});
afterAll(() => registry.close());

function pull(root: string, tag: number, meanwhile?: Parameters<typeof runProgram>[1]) {
  return runProgram(["pull", "--root", root, `${registry.host}/team/app:${tag}`], meanwhile);
}

/** The names of blobs, each after its bytes were read again. */
async function soundBlobs(root: string): Promise<string[]> {
  const folder = join(root, "blobs", "sha256");
  const names = await readdir(folder);
  for (const name of names) expect(digestOf(await readFile(join(folder, name)))).toBe(`sha256:${name}`);
  return names;
}

describe.skipIf(!isRoot)("a store on a file system of its own", () => {
  describeWith(["mount", "umount", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"], "with the system's own programs", () => {
    test.each(types)("%s: what is pulled, and what a killed pull left, is right byte for byte", async (type) => {
      const root = join(await mountFileSystem(type, 64), "store");
      registry.setPace({ bytesPerSecond: 20 * MB });
      const before = registry.sent;
      const killed = await pull(root, 1, {
        meanwhile: async (child) => {
          await expect.poll(() => registry.sent - before, { interval: 1 }).toBeGreaterThan(2 * MB);
          child.kill("SIGKILL");
        },
      });
      expect(killed.signal).toBe("SIGKILL");
      registry.setPace({});
      expect(await pull(root, 1)).toMatchObject({ status: 0 });
      expect(await soundBlobs(root)).toHaveLength(5);
      expect(await pulley(["verify", "--root", root])).toMatchObject({ status: 0 });
      expect(await pulley(["rm", "--root", root, `${registry.host}/team/app:1`])).toMatchObject({ status: 0 });
      expect(await soundBlobs(root)).toEqual([]);
    });

    test.each(types)("%s: a disk that fills up during a pull is named, and what was here stays right", async (type) => {
      const mounted = await mountFileSystem(type, 32);
      const root = join(mounted, "store");
      expect(await pull(root, 1)).toMatchObject({ status: 0 });
      registry.setPace({ bytesPerSecond: 10 * MB });
      const before = registry.sent;
      const full = await pull(root, 2, {
        meanwhile: async (child) => {
          await expect.poll(() => registry.sent, { interval: 1 }).toBeGreaterThan(before + MB);
          // However long the filling takes, the pull gets no further meanwhile.
          child.kill("SIGSTOP");
          await fill(mounted);
          child.kill("SIGCONT");
        },
      });
      registry.setPace({});
      expect(full).toMatchObject({ status: 3 });
      expect(full.stderr).toMatch(/error: .*team\/app:2: .*(no space left|is full|bytes free)/i);
      // What is whole stays for the next pull, of an image that nobody sees yet.
      await soundBlobs(root);
      expect(await pulley(["inspect", "--root", root, `${registry.host}/team/app:2`])).toMatchObject({ status: 1 });
      expect(await pulley(["verify", "--root", root])).toMatchObject({ status: 0 });
      const policy = join(mounted, "policy.yaml");
      const written = await pulley(["policy", "init", policy]);
      if (written.status === 0) expect(await readFile(policy, "utf8")).toBe((await pulley(["policy", "init"])).stdout);
      else await expect(stat(policy)).rejects.toThrow(/ENOENT/);
      await rm(join(mounted, "filled"), { recursive: true });
      expect(await pull(root, 2)).toMatchObject({ status: 0 });
      expect(await soundBlobs(root)).toHaveLength(8);
    });
  });
});

/** Writes until nothing more can be written. */
async function fill(mounted: string): Promise<void> {
  const folder = join(mounted, "filled");
  await mkdir(folder);
  for (let piece = MB, number = 0; piece >= 512; number += 1) {
    try {
      await writeFile(join(folder, String(number)), Buffer.alloc(piece, number));
    } catch {
      piece = Math.floor(piece / 2);
    }
  }
}
