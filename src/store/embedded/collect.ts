/** Collection: what no name and no lease needs is removed. Any number of processes may do it at once. */
import type { Digest } from "../../image/index.ts";
import type { Blobs } from "./blobs.ts";
import { leasedDigests } from "./lease-file.ts";
import type { StorePaths } from "./paths.ts";
import { keeps } from "./record.ts";
import type { Records } from "./records.ts";
import { discard, sweepTrash } from "./trash.ts";

/** Returns the bytes freed. */
export async function collect(paths: StorePaths, blobs: Pick<Blobs, "list">, records: Records): Promise<number> {
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
    for (const { digest } of keeps(record)) needed.add(digest);
  }
  return needed;
}
