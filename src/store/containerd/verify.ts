/** Reading everything again that an image in containerd needs. */
import type { Digest } from "../../image/digest.ts";
import type { Catalog } from "../catalog.ts";
import type { Verified } from "../index.ts";
import { isNameless, needs, type StoredRecord } from "../stored-record.ts";
import type { Contents } from "./contents.ts";
import type { Names } from "./names.ts";

export async function* checkContents(contents: Contents, names: Names): AsyncGenerator<Verified, void> {
  for (const [digest, keepers] of neededBy(await names.fresh())) {
    const state = (await contents.check(digest)) ?? "missing";
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !neededBy(await names.fresh()).has(digest)) continue;
    yield { digest, state, neededBy: keepers.filter((record) => !isNameless(record)).map(({ name }) => name) };
  }
}

function neededBy(catalog: Catalog): ReadonlyMap<Digest, readonly StoredRecord[]> {
  const keepers = new Map<Digest, StoredRecord[]>();
  for (const record of catalog.records.values()) {
    for (const { digest } of needs(record)) {
      const own = keepers.get(digest) ?? [];
      own.push(record);
      keepers.set(digest, own);
    }
  }
  return keepers;
}
