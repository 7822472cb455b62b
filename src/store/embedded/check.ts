/** Reading everything again: is what is on the disk still what its names say? */
import type { Digest } from "../../image/index.ts";
import { hasErrno } from "../../support/errno.ts";
import type { Verified, VerifyOptions } from "../image-store.ts";
import type { StoredRecord } from "../stored-record.ts";
import { inTurn, keepersOf, verified } from "../verifying.ts";
import type { Blobs } from "./blobs.ts";
import { keeps } from "./record.ts";
import type { Records } from "./records.ts";

export interface CheckGround {
  readonly blobs: Pick<Blobs, "list" | "check">;
  readonly records: Pick<Records, "current">;
  /** Makes again what can be made from a record's other content. */
  readonly repair: (record: StoredRecord) => Promise<void>;
}

export async function* checkContents(
  { blobs, records, repair }: CheckGround,
  options: VerifyOptions = {},
): AsyncGenerator<Verified, void> {
  const needed = keepersOf(await records.current(), keeps);
  for (const digest of inTurn([...(await blobs.list()), ...needed.keys()], options)) {
    const keepers = needed.get(digest) ?? [];
    const state = await stateOf(blobs, digest, options.pace);
    // Content that is gone together with its image is not missing.
    if (state === "missing" && !keepersOf(await records.current(), keeps).has(digest)) continue;
    const translated = keepers.find(({ ociManifest }) => ociManifest?.digest === digest);
    if (state !== "sound" && translated !== undefined) await repair(translated);
    yield verified(digest, state, keepers);
  }
}

/** What a disk cannot read has not been found to be wrong: it stays where it is. */
async function stateOf(
  blobs: Pick<Blobs, "check">,
  digest: Digest,
  pace: VerifyOptions["pace"],
): Promise<Verified["state"]> {
  try {
    return (await blobs.check(digest, pace)) ?? "missing";
  } catch (error) {
    if (hasErrno(error, "EIO", "EUCLEAN", "EBADMSG", "ENODATA")) return "unreadable";
    throw error;
  }
}
