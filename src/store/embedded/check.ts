/** Reading everything again: is what is on the disk still what its names say? */
import type { Digest } from "../../image/digest.ts";
import type { Verified } from "../index.ts";
import type { Blobs } from "./blobs.ts";
import type { Catalog } from "./catalog.ts";
import { isNameless, needs } from "./record.ts";
import type { Records } from "./records.ts";

export async function* checkContents(blobs: Blobs, records: Records): AsyncGenerator<Verified, void> {
  const needed = neededBy(await records.current());
  const listed = await blobs.list();
  for (const digest of new Set([...listed, ...needed.keys()])) {
    const state = await blobs.check(digest);
    if (state !== undefined) yield { digest, state, neededBy: needed.get(digest) ?? [] };
    else if (await isStillNeeded(digest, records))
      yield { digest, state: "missing", neededBy: needed.get(digest) ?? [] };
  }
}

/** Content that is gone together with its image is not missing. */
async function isStillNeeded(digest: Digest, records: Records): Promise<boolean> {
  return neededBy(await records.current()).has(digest);
}

function neededBy(catalog: Catalog): ReadonlyMap<Digest, readonly string[]> {
  const names = new Map<Digest, string[]>();
  for (const record of catalog.records.values()) {
    for (const { digest } of needs(record)) {
      const own = names.get(digest) ?? [];
      if (!isNameless(record)) own.push(record.name);
      names.set(digest, own);
    }
  }
  return names;
}
