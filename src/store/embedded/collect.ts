/** Collection: what no name and no lease needs is removed. Any number of processes may do it at once. */
import type { Digest } from "../../image/index.ts";
import type { Blobs } from "./blobs.ts";
import { leasedDigests } from "./lease-file.ts";
import { keeps } from "./record.ts";
import type { Records } from "./records.ts";
import type { Site } from "./site.ts";
import { discard, settle } from "./trash.ts";

/** Returns the bytes freed. */
export async function collect(site: Site, blobs: Pick<Blobs, "list">, records: Records): Promise<number> {
  const kept = await neededDigests(site, records);
  for (const digest of await blobs.list()) if (!kept.has(digest)) await discard(site, digest);
  return settle(site, () => neededDigests(site, records));
}

/**
 * What leases and names need. The leases first: a lease ends only after its records have been written, so that who
 * reads in this order sees at least one of the two.
 */
export async function neededDigests(site: Site, records: Pick<Records, "current">): Promise<ReadonlySet<Digest>> {
  const needed = await leasedDigests(site);
  for (const record of (await records.current()).records.values()) {
    for (const { digest } of keeps(record)) needed.add(digest);
  }
  return needed;
}
