/**
 * Removing images and their content: what no name and no lease needs is collected. Any number of processes may do it at once.
 *
 * Content goes in two steps, because there are no locks: first it is moved to the trash, then it is asked
 * again whether it is needed, and only then it is deleted. A process that needs it writes that into a lease before looking
 * for it, and looks in the trash too. So either the lease is seen before the deletion, or the process finds the
 * content gone, and never believes that it has it.
 *
 * Every stay in the trash has a name of its own, so that a process that decided about an earlier stay cannot delete a
 * later one.
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../image/index.ts";
import { fileStatus, flatName, moveFile, randomName, removeFile } from "../files.ts";
import type { Removal } from "../image-store.ts";
import { isNameless } from "../stored-record.ts";
import { recordsToDrop } from "../untag.ts";
import { sweepConfirmations } from "./confirmations.ts";
import { leasedDigests } from "./lease-file.ts";
import { blobPath, type StorePaths } from "./paths.ts";
import { contentsToKeep } from "./record.ts";
import type { Records } from "./records.ts";

interface BlobList {
  list(): Promise<readonly Digest[]>;
}

/** What must stay, asked anew each time. */
export type Needed = () => Promise<ReadonlySet<Digest>>;

/** Moves content out; it can be brought back until the trash is swept. */
export async function discard(paths: StorePaths, digest: Digest): Promise<void> {
  await moveFile(blobPath(paths, digest), join(paths.trash, `${flatName(digest)}.${randomName()}`));
}

/** Brings content back from the trash; whether it was there. */
export async function restore(paths: StorePaths, digest: Digest): Promise<boolean> {
  for (const stay of await trashEntries(paths)) {
    if (stay.digest === digest && (await moveFile(stay.path, blobPath(paths, digest)))) return true;
  }
  return false;
}

/** Brings back what is needed and deletes the rest; also what a process left that was killed over it. Returns the bytes freed. */
export async function sweepTrash(paths: StorePaths, needed: Needed): Promise<number> {
  // In this order: who needs something that is found here has either announced it by now, or will miss it.
  const found = await trashEntries(paths);
  if (found.length === 0) return 0;
  const kept = await needed();
  let freed = 0;
  for (const { path, digest } of found) {
    const home = blobPath(paths, digest);
    if (kept.has(digest) && (await fileStatus(home)) === undefined) {
      await moveFile(path, home);
      continue;
    }
    const size = (await fileStatus(path))?.size ?? 0;
    if (await removeFile(path)) freed += size;
  }
  return freed;
}

async function trashEntries(paths: StorePaths): Promise<{ path: string; digest: Digest }[]> {
  return (await readdir(paths.trash)).flatMap((name) => {
    const digest = /^([a-z0-9]+-[0-9a-f]+)\.[0-9a-f]+$/.exec(name)?.[1]?.replace("-", ":") ?? "";
    return isDigest(digest) ? [{ path: join(paths.trash, name), digest }] : [];
  });
}

/** Removes what no name and no lease needs. Returns the bytes freed. */
export async function collect(paths: StorePaths, blobs: BlobList, records: Records): Promise<number> {
  const kept = await neededDigests(paths, records);
  for (const digest of await blobs.list()) if (!kept.has(digest)) await discard(paths, digest);
  return sweepTrash(paths, () => neededDigests(paths, records));
}

/**
 * What leases and names need. The leases first: a lease ends only after its records have been written, so that who
 * reads in this order sees at least one of the two.
 */
export async function neededDigests(
  paths: StorePaths,
  records: Pick<Records, "current">,
): Promise<ReadonlySet<Digest>> {
  const needed = await leasedDigests(paths);
  for (const record of (await records.current()).records.values()) {
    for (const { digest } of contentsToKeep(record)) needed.add(digest);
  }
  return needed;
}

/**
 * Removes names, and with its last name the image. The names go durably before any content does: a power cut must not bring a name back whose content is gone.
 * @throws PulleyError `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`
 */
export async function remove(paths: StorePaths, blobs: BlobList, records: Records, text: string): Promise<Removal> {
  const found = (await records.current()).require(text);
  const dropped = await records.drop(recordsToDrop(found));
  const freed = await collect(paths, blobs, records);
  const after = await records.current();
  await sweepConfirmations(paths, after);
  return {
    untagged: dropped.filter((record) => !isNameless(record)).map(({ name }) => name),
    deleted: after.image(found.image.id) === undefined ? [found.image.id] : [],
    freed,
  };
}
