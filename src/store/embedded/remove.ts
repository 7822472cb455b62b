/** Taking names away, and with its last name the image. */

import type { Removal } from "../image-store.ts";
import { isNameless } from "../stored-record.ts";
import { recordsToDrop } from "../untag.ts";
import type { Blobs } from "./blobs.ts";
import { collect } from "./collect.ts";
import { sweepConfirmations } from "./confirmations.ts";
import type { StorePaths } from "./paths.ts";
import type { Records } from "./records.ts";

/**
 * The names go durably before any content does: a power cut must not bring a name back whose content is gone.
 * @throws PulleyError `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`
 */
export async function remove(paths: StorePaths, blobs: Blobs, records: Records, text: string): Promise<Removal> {
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
