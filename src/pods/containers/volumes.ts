/** A pod's volumes on this machine, laid out as the kubelet's: `pods/UID/volumes/KIND/NAME`. */
import { chmod, chown, lstat, mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, errorText, PulleyError } from "../../support/errors.ts";
import {
  type FilesSource,
  type HostPathType,
  type PodFacts,
  type PodSpec,
  type Volume,
  volumeFiles,
} from "../../workload/index.ts";
import { mountMemory, mountsIn } from "./sub-path.ts";
import type { VolumeProblem } from "./types.ts";

/** Where a volume is on this machine. @param folder of the pod */
export function volumePath(folder: string, { name, source }: Volume): string {
  switch (source.kind) {
    case "hostPath":
      return source.path;
    case "emptyDir":
      return join(folder, "volumes", "kubernetes.io~empty-dir", name);
    case "files":
      return join(folder, "volumes", "kubernetes.io~projected", name);
    case "image":
      throw new PulleyError("INTERNAL", `the image volume ${name} has no folder`);
  }
}

/** @param folder of the pod */
export async function setUpVolumes(folder: string, facts: PodFacts): Promise<readonly VolumeProblem[]> {
  const problems: VolumeProblem[] = [];
  for (const volume of facts.spec.volumes) {
    const message = await setUp(folder, volume, facts).catch((error: unknown) => errorText(error));
    if (message !== undefined) problems.push({ volume: volume.name, message });
  }
  return problems;
}

/** Returns what is wrong, if anything is. */
async function setUp(folder: string, volume: Volume, facts: PodFacts): Promise<string | undefined> {
  const { source } = volume;
  switch (source.kind) {
    case "image":
      return undefined;
    case "hostPath":
      return checkHostPath(source.path, source.type);
    case "emptyDir": {
      const path = volumePath(folder, volume);
      await mkdir(path, { recursive: true });
      if (source.inMemory && !(await mountsIn(path)).includes(path)) await mountMemory(path, source.sizeLimit);
      await chmod(path, 0o777);
      await giveToGroup(path, facts.spec, 0o2777);
      return undefined;
    }
    case "files":
      return writeFiles(volumePath(folder, volume), source, facts);
  }
}

/**
 * Files are written beside, and become visible all at once by a link, as the kubelet does it (k8s
 * pkg/volume/util/atomic_writer.go): `..data` leads to them, and each name in the volume to one in there.
 */
async function writeFiles(path: string, source: FilesSource, facts: PodFacts): Promise<string | undefined> {
  const found = volumeFiles(source, facts);
  if ("problem" in found) return found.problem;
  await mkdir(path, { recursive: true, mode: 0o755 });
  if ((await readdir(path)).includes("..data")) return undefined;
  const version = "..files";
  for (const { path: name, content, mode } of found.files) {
    const file = join(path, version, name);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content, { mode: 0o600 });
    const isShared = facts.spec.security.fsGroup !== undefined;
    await chmod(file, isShared ? mode | 0o040 : mode);
    await giveToGroup(file, facts.spec, undefined);
  }
  const first = new Set(found.files.map(({ path: name }) => name.split("/")[0] ?? name));
  for (const name of first) await symlink(join("..data", name), join(path, name)).catch(unlessThere);
  await symlink(version, join(path, "..data_tmp")).catch(unlessThere);
  await rename(join(path, "..data_tmp"), join(path, "..data"));
  return undefined;
}

function unlessThere(error: unknown): void {
  if (errnoOf(error) !== "EEXIST") throw error;
}

async function giveToGroup(path: string, { security: { fsGroup } }: PodSpec, mode: number | undefined): Promise<void> {
  if (fsGroup === undefined) return;
  await chown(path, (await lstat(path)).uid, fsGroup);
  if (mode !== undefined) await chmod(path, mode);
}

const kinds: Readonly<Record<Exclude<HostPathType, "" | "DirectoryOrCreate" | "FileOrCreate">, string>> = {
  Directory: "a directory",
  File: "a file",
  Socket: "a socket file",
  CharDevice: "a character device",
  BlockDevice: "a block device",
};

/** k8s pkg/volume/hostpath: what must be there, and what is made where it is not. */
async function checkHostPath(path: string, type: HostPathType): Promise<string | undefined> {
  if (type === "") return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined && type === "DirectoryOrCreate") {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return undefined;
  }
  if (found === undefined && type === "FileOrCreate") {
    await writeFile(path, "", { flag: "a", mode: 0o644 });
    return undefined;
  }
  const wanted = type === "DirectoryOrCreate" ? "Directory" : type === "FileOrCreate" ? "File" : type;
  const fits =
    found !== undefined &&
    {
      Directory: found.isDirectory(),
      File: found.isFile(),
      Socket: found.isSocket(),
      CharDevice: found.isCharacterDevice(),
      BlockDevice: found.isBlockDevice(),
    }[wanted];
  return fits ? undefined : `hostPath type check failed: ${path} is not ${kinds[wanted]}`;
}

export async function removeFolder(path: string): Promise<void> {
  // Nothing that is still mounted in there may be taken for a part of it.
  const mounts = await mountsIn(path);
  if (mounts.length > 0) throw new PulleyError("STORE_FAILED", `${path}: ${mounts[0]} is still mounted`);
  await rm(path, { recursive: true, force: true });
}
