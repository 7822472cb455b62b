/** Locks of pods: two processes on one folder must not start and stop the same containers. */
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasErrno, PulleyError } from "../../support/errors.ts";
import { formatOwner, ownerState, parseOwner, thisOwner } from "../../support/owner.ts";
import type { Pod } from "../../workload/index.ts";

/** Most bytes of a lock file. */
const longest = 256;

export interface PodLocks {
  /** @throws PulleyError `USAGE` if a living process holds the lock */
  take(pod: Pod): Promise<void>;
  release(uid: string): Promise<void>;
  /** Whether a living process, this one included, holds the lock. */
  isTaken(uid: string): Promise<boolean>;
}

/** @param root the node's folder */
export function openPodLocks(root: string): PodLocks {
  const folder = join(root, "pods");
  const self = thisOwner();
  const fileOf = (uid: string) => join(folder, `${encodeURIComponent(uid)}.owner`);

  /** The pid of the living process that holds the lock. */
  async function holder(uid: string): Promise<number | undefined> {
    const text = await readFile(fileOf(uid), "latin1").catch(() => "");
    const owner = text.length > longest ? undefined : parseOwner(text.trim());
    return owner !== undefined && ownerState(owner, self) !== "dead" ? owner.pid : undefined;
  }

  return {
    take: async (pod) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = fileOf(pod.uid);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const file = await open(path, "wx", 0o600).catch((error: unknown) => {
          if (!hasErrno(error, "EEXIST")) throw error;
        });
        if (file !== undefined) {
          await file.writeFile(`${formatOwner(self)}\n`);
          await file.close();
          return;
        }
        const pid = await holder(pod.uid);
        if (pid === process.pid) return;
        if (pid !== undefined) throw taken(pod, pid);
        await rm(path, { force: true });
      }
      throw taken(pod, undefined);
    },
    release: (uid) => rm(fileOf(uid), { force: true }),
    isTaken: async (uid) => (await holder(uid)) !== undefined,
  };
}

function taken({ namespace, name }: Pod, pid: number | undefined): PulleyError {
  const who = pid === undefined ? "another process" : `process ${pid}`;
  return new PulleyError("USAGE", `the pod ${namespace}/${name} is run by ${who} already`, {
    advice: "End that process first, or choose another folder with --root.",
  });
}
