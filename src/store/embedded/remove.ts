/** Taking names away, and with its last name the image. */
import { parseReference } from "../../image/reference.ts";
import type { Removal } from "../index.ts";
import type { Blobs } from "./blobs.ts";
import type { Found } from "./catalog.ts";
import { collect } from "./collect.ts";
import { sweepConfirmations } from "./confirmations.ts";
import { isNameless, type StoredRecord } from "./record.ts";
import type { Records } from "./records.ts";
import type { Site } from "./site.ts";

/**
 * The names go durably before any content does: a power cut must not bring a name back whose content is gone.
 * @throws PulleyError `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`
 */
export async function remove(site: Site, blobs: Blobs, records: Records, text: string): Promise<Removal> {
  const found = (await records.current()).require(text);
  const dropped = await records.drop(recordsToDrop(found));
  const freed = await collect(site, blobs, records);
  const after = await records.current();
  await sweepConfirmations(site, after);
  return {
    untagged: dropped.filter((record) => !isNameless(record)).map(({ name }) => name),
    deleted: after.image(found.image.id) === undefined ? [found.image.id] : [],
    freed,
  };
}

/**
 * As docker (moby `daemon/images/image_delete.go`): with a repository's last tag on an image go the repository's
 * digests, which nobody gave it. An image that is left without any name goes too.
 */
function recordsToDrop({ all, named, tag }: Found): readonly StoredRecord[] {
  const rest = all.filter((record) => !named.includes(record));
  const orphans = tag === undefined ? [] : digestsWithoutTag(rest, tag.repository.name);
  const left = rest.filter((record) => !orphans.includes(record));
  return left.every(isNameless) ? all : [...named, ...orphans];
}

function digestsWithoutTag(rest: readonly StoredRecord[], repository: string): readonly StoredRecord[] {
  const own = rest.filter(
    (record) => !isNameless(record) && parseReference(record.name).repository.name === repository,
  );
  return own.some(({ name }) => !name.includes("@")) ? [] : own;
}
