/** Disk usage of images in containerd: content, and the snapshots of their layers. */

import { measure } from "../disk-usage.ts";
import type { Usage } from "../image-store.ts";
import { Content } from "./api/containerd/services/content/content_pb.js";
import { Kind, Snapshots } from "./api/containerd/services/snapshots/snapshots_pb.js";
import type { ContainerdContext } from "./context.ts";
import { call, headersOf, unless, withContext } from "./daemon.ts";

interface SpaceUsed {
  readonly used: number;
  readonly inodes: number;
}

/** Received content counts, too, and the writable layers of containers do not: those are the containers'. */
export async function usageOf(context: ContainerdContext): Promise<Usage> {
  const { root, contentRoot, snapshotRoot, ingest, statfs } = context;
  const path = snapshotRoot ?? contentRoot ?? root;
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  const parts = await Promise.all([snapshotUsage(context), contentUsage(context), measure(ingest)]);
  return {
    path,
    used: parts.reduce((sum, { used }) => sum + used, 0),
    inodesUsed: parts.reduce((sum, { inodes }) => sum + inodes, 0),
    capacity: blocks * bsize,
    available: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}

/** containerd has counted each as it was committed. */
async function snapshotUsage({ daemon, snapshotter }: ContainerdContext): Promise<SpaceUsed> {
  const names: string[] = [];
  const lists = daemon.channel.serverStream(Snapshots.method.list, { snapshotter }, { headers: headersOf(daemon) });
  try {
    for await (const { info } of lists) {
      names.push(...info.filter(({ kind }) => kind === Kind.COMMITTED).map(({ name }) => name));
    }
  } catch (error) {
    throw withContext("list its snapshots", error);
  }
  const measured = names.map((key) =>
    unless(call(daemon, `measure snapshot ${key}`, Snapshots.method.usage, { snapshotter, key }), "NOT_FOUND"),
  );
  let [used, inodes] = [0, 0];
  for (const usage of await Promise.all(measured)) {
    used += Number(usage?.size ?? 0n);
    inodes += Number(usage?.inodes ?? 0n);
  }
  return { used, inodes };
}

/** Measured on the disk where its folder can be read; otherwise as containerd reports it. */
async function contentUsage({ daemon, contentRoot }: ContainerdContext): Promise<SpaceUsed> {
  const measured = contentRoot === undefined ? undefined : await measure(contentRoot);
  if (measured !== undefined && measured.inodes > 0) return measured;
  let [used, inodes] = [0, 0];
  const lists = daemon.channel.serverStream(Content.method.list, {}, { headers: headersOf(daemon) });
  try {
    for await (const { info } of lists) {
      inodes += info.length;
      used += info.reduce((sum, { size }) => sum + Number(size), 0);
    }
  } catch (error) {
    throw withContext("list its content", error);
  }
  return { used, inodes };
}
