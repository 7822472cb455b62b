/** What both stores share when they read everything again. */
import type { Digest } from "../image/index.ts";
import type { Catalog } from "./catalog.ts";
import type { Verified, VerifyOptions } from "./image-store.ts";
import { type Content, isNameless, type StoredRecord } from "./stored-record.ts";

/** Which records need content. */
export type RecordsByContent = ReadonlyMap<Digest, readonly StoredRecord[]>;

/** @param contents what a record needs */
export function recordsByContent(
  catalog: Catalog,
  contents: (record: StoredRecord) => readonly Content[],
): RecordsByContent {
  const keepers = new Map<Digest, StoredRecord[]>();
  for (const record of catalog.records.values()) {
    for (const { digest } of contents(record)) {
      const own = keepers.get(digest) ?? [];
      own.push(record);
      keepers.set(digest, own);
    }
  }
  return keepers;
}

/** Each digest once, in a fixed order, so that an interrupted run can continue. */
export function inFixedOrder(digests: Iterable<Digest>, { only, after }: VerifyOptions): readonly Digest[] {
  const wanted = [...new Set(digests)].filter((digest) => only?.has(digest) ?? true);
  return wanted.filter((digest) => after === undefined || digest > after).sort();
}

export function verified(digest: Digest, state: Verified["state"], keepers: readonly StoredRecord[]): Verified {
  const named = keepers.filter((record) => !isNameless(record));
  // In containerd, every image has its id for a name, beside those that it was given.
  const known = new Set(named.map(({ image }) => image));
  const nameless = [...new Set(keepers.map(({ image }) => image))].filter((image) => !known.has(image));
  return { digest, state, neededBy: named.map(({ name }) => name), ...(nameless.length > 0 && { nameless }) };
}
