/** What a containerd leaves on the machine when it is ended: shims, containers, cgroups, sockets, mounts. */
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasErrno } from "../src/support/errors.ts";
import type { ContainerdSite } from "./containerd-config.ts";
import { requiredTool, run } from "./programs.ts";

/** Only after containerd itself has ended, or it would start anew what goes away here. */
export async function removeLeftovers(site: ContainerdSite): Promise<void> {
  const bundles = await bundlesOf(site);
  const groups = await Promise.all(bundles.map(cgroupPath));
  const sockets = await Promise.all(bundles.map(shimSocket));
  const cgroups = await foldersOf(groups.filter((path) => path !== undefined));
  for (const path of cgroups) for (const pid of await processesIn(path)) kill(pid);
  for (const pid of await shimsOf(site)) kill(pid);
  for (const path of cgroups) await removeCgroup(path);
  for (const path of sockets) if (path !== undefined) await rm(path, { force: true });
  await unmountBelow(site.folder);
  await unmountBelow(site.root);
}

/** Folders of containers that are there now, in every namespace. */
async function bundlesOf(site: ContainerdSite): Promise<string[]> {
  const tasks = join(site.state, "io.containerd.runtime.v2.task");
  const namespaces = await namesIn(tasks);
  const ids = await Promise.all(namespaces.map((namespace) => namesIn(join(tasks, namespace))));
  return namespaces.flatMap((namespace, at) => (ids[at] ?? []).map((id) => join(tasks, namespace, id)));
}

async function cgroupPath(bundle: string): Promise<string | undefined> {
  const text = await readFile(join(bundle, "config.json"), "utf8").catch(() => "");
  return /"cgroupsPath":"([^"]+)"/.exec(text)?.[1];
}

async function shimSocket(bundle: string): Promise<string | undefined> {
  const address = await readFile(join(bundle, "address"), "utf8").catch(() => "");
  return /^unix:\/\/(\/.+)$/.exec(address.trim())?.[1];
}

/** A cgroup's folders: one for each controller of the first version, or one. */
async function foldersOf(paths: readonly string[]): Promise<string[]> {
  const top = "/sys/fs/cgroup";
  const tops = [top, ...(await namesIn(top)).map((name) => join(top, name))];
  const candidates = paths.flatMap((path) => tops.map((folder) => join(folder, path)));
  const there = await Promise.all(
    candidates.map((path) =>
      readFile(join(path, "cgroup.procs")).then(
        () => true,
        () => false,
      ),
    ),
  );
  return candidates.filter((_, at) => there[at]);
}

async function processesIn(cgroup: string): Promise<number[]> {
  const text = await readFile(join(cgroup, "cgroup.procs"), "utf8").catch(() => "");
  return text.split("\n").filter(Boolean).map(Number);
}

/** Processes whose arguments name the socket of this containerd. */
async function shimsOf({ socket }: ContainerdSite): Promise<number[]> {
  const pids = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.map(Number).filter((_, at) => {
    const args = (lines[at] ?? "").split("\0");
    return args[0]?.includes("containerd-shim") && args.includes(socket);
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** A cgroup is busy for a moment after its last process was killed. Those above it go where they are empty. */
async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt += 1) {
    const busy = await rmdir(path).then(
      () => false,
      (error: unknown) => hasErrno(error, "EBUSY"),
    );
    if (!busy) break;
    await delay(20);
  }
  const above = dirname(path);
  if (!/^\/sys\/fs\/cgroup(\/[^/]+)?$/.test(above)) await rmdir(above).catch(() => undefined);
}

/** Whatever is mounted in a folder, the innermost first. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = mounts.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(`${folder}/`));
  if (points.length > 0) await run(requiredTool("umount"), ["--lazy", ...points.toReversed()]);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
