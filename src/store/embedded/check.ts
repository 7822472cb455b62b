/** Reading everything again: is what is on the disk still what its names say? */
import type { Digest } from "../../image/digest.ts";
import type { Catalog } from "../catalog.ts";
import type { Verified } from "../index.ts";
import { isNameless, type StoredRecord } from "../stored-record.ts";
import type { Blobs } from "./blobs.ts";
import { keeps } from "./record.ts";
import type { Records } from "./records.ts";

/** @param repair makes again what can be made from a record's other content */
export async function* checkContents(
  blobs: Blobs,
  records: Records,
  repair: (record: StoredRecord) => Promise<void>,
): AsyncGenerator<Verified, void> {
  const needed = neededBy(await records.current());
  const listed = await blobs.list();
  for (const digest of new Set([...listed, ...needed.keys()])) {
    const keepers = needed.get(digest) ?? [];
    const state = (await blobs.check(digest)) ?? "missing";
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !neededBy(await records.current()).has(digest)) continue;
    const translated = keepers.find(({ ociManifest }) => ociManifest?.digest === digest);
    if (state !== "sound" && translated !== undefined) await repair(translated);
    yield { digest, state, neededBy: keepers.filter((record) => !isNameless(record)).map(({ name }) => name) };
  }
}

function neededBy(catalog: Catalog): ReadonlyMap<Digest, readonly StoredRecord[]> {
  const keepers = new Map<Digest, StoredRecord[]>();
  for (const record of catalog.records.values()) {
    for (const { digest } of keeps(record)) {
      const own = keepers.get(digest) ?? [];
      own.push(record);
      keepers.set(digest, own);
    }
  }
  return keepers;
}
