/** The folders of pods on this machine: `pods/UID` with their volumes, and their logs. */
import { chmod, lstat, mkdir, open, readFile, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PulleyError } from "../../support/errors.ts";
import type { Pod } from "../../workload/index.ts";
import { logFolderName } from "./labels.ts";
import { rotatedLogs } from "./log-rotation.ts";
import { mountSubPath, mountsIn, unmountAll } from "./sub-path.ts";
import type { PodFolders } from "./types.ts";
import { removeFolder, setUpVolumes, volumePath } from "./volumes.ts";

/** Bytes of a container's termination message that are kept (k8s `MaxContainerTerminationMessageLength`). */
const longestWords = 4096;
/** What may be a part of a path here: what the API server takes for names and identifiers. */
const safeName = /^[A-Za-z0-9][-A-Za-z0-9._]*$/;

/** @param root the node's folder */
export function podFolders(root: string): PodFolders {
  const podFolder = (uid: string) => join(root, "pods", safe(uid));
  const logFolder = (pod: Pick<Pod, "namespace" | "name" | "uid">) => {
    for (const name of [pod.namespace, pod.name, pod.uid]) safe(name);
    return join(root, "logs", logFolderName(pod));
  };
  const wordsFile = (pod: Pod, container: string, attempt: number) =>
    join(podFolder(pod.uid), "containers", safe(container), String(attempt));

  return {
    setUp: async (facts) => {
      const folder = podFolder(facts.pod.uid);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return setUpVolumes(folder, facts);
    },
    mountSource: async ({ pod, spec, volume, subPath, container, index }) => {
      const found = spec.volumes.find(({ name }) => name === volume);
      if (found === undefined) throw new PulleyError("INTERNAL", `there is no volume ${volume}`);
      const folder = podFolder(pod.uid);
      const path = volumePath(folder, found);
      if (subPath === "") return path;
      const target = join(folder, "volume-subpaths", safe(volume), safe(container), String(index));
      // One from the container before this one may lead elsewhere by now.
      await unmountAll(target);
      await removeMountPoint(target);
      await mountSubPath(path, subPath, target);
      return target;
    },
    logFolder: async (pod) => {
      const path = logFolder(pod);
      await mkdir(path, { recursive: true, mode: 0o755 });
      return path;
    },
    terminationLog: async (pod, container, attempt) => {
      const path = wordsFile(pod, container, attempt);
      await mkdir(join(path, ".."), { recursive: true, mode: 0o755 });
      await writeFile(path, "");
      // Writable for every user that the container may run as.
      await chmod(path, 0o666);
      return path;
    },
    readTerminationLog: async (pod, container, attempt) => {
      const file = await open(wordsFile(pod, container, attempt)).catch(() => undefined);
      if (file === undefined) return "";
      try {
        const { size } = await file.stat();
        const length = Math.min(size, longestWords);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
        return buffer.subarray(0, bytesRead).toString("utf8");
      } finally {
        await file.close();
      }
    },
    forget: async (pod, container, attempt) => {
      const log = join(logFolder(pod), safe(container), `${attempt}.log`);
      for (const path of [log, ...(await rotatedLogs(log))]) await rm(path, { force: true });
      await rm(wordsFile(pod, container, attempt), { force: true });
    },
    remove: async (pod) => {
      const folder = podFolder(pod.uid);
      if ((await mountsIn(folder)).length > 0) await unmountAll(folder);
      await removeFolder(folder);
      await removeFolder(logFolder(pod));
    },
  };
}

/** An empty folder or file; never more than that, whatever is still mounted there. */
async function removeMountPoint(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() === true) await rmdir(path);
  else if (found !== undefined) await unlink(path);
}

function safe(name: string): string {
  if (name.length <= 253 && safeName.test(name)) return name;
  throw new PulleyError("INPUT_INVALID", `${JSON.stringify(name.slice(0, 260))} cannot be a part of a path`);
}

/** The machine's resolver, empty where there is none. */
export function readResolver(): Promise<string> {
  return readFile("/etc/resolv.conf", "utf8").catch(() => "");
}
