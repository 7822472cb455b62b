/** File systems in a file, mounted for a test: the temporary folder of a machine is only one of those that nodes have. */
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { requiredTool, run } from "./programs.ts";

export type FileSystem = "ext4" | "xfs" | "btrfs" | "tmpfs" | "overlay";

/** The smallest that each can be made, in MiB. */
const leastSize = { ext4: 16, xfs: 300, btrfs: 112, tmpfs: 1, overlay: 16 } as const;

/**
 * An empty folder on a file system of its own, gone after the test. Needs root.
 * @param size MiB; as much as the file system needs at least, if that is more
 */
export async function mountFileSystem(type: FileSystem, size: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `pulley-${type}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const target = join(folder, "mounted");
  await mkdir(target);
  const mebibytes = Math.max(size, leastSize[type]);
  if (type === "overlay") {
    // An overlay lies on another file system, which has the size.
    const below = await mountFileSystem("ext4", mebibytes);
    const [lower, upper, work] = ["lower", "upper", "work"].map((name) => join(below, name));
    for (const path of [lower, upper, work]) await mkdir(path ?? "");
    await mount(target, "-t", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, "overlay");
  } else if (type === "tmpfs") {
    await mount(target, "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs");
  } else {
    const file = join(folder, "blocks");
    await writeFile(file, "");
    await truncate(file, mebibytes * 1024 * 1024);
    await run(requiredTool(`mkfs.${type}`), ["-q", file]);
    await mount(target, "-o", "loop", file);
  }
  return target;
}

async function mount(target: string, ...args: string[]): Promise<void> {
  await run(requiredTool("mount"), [...args, target]);
  onTestFinished(async () => {
    await run(requiredTool("umount"), [target]);
  });
}
