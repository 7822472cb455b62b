/** Which names are removed together with one. */
import { parseReference } from "../image/index.ts";
import type { NamedRecords } from "./catalog.ts";
import { isNameless, type StoredRecord } from "./stored-record.ts";

/**
 * As docker (moby `daemon/images/image_delete.go`): with a repository's last tag on an image go the repository's
 * digests. An image that is left without any name goes too.
 */
export function recordsToDrop({ all, named, tag }: NamedRecords): readonly StoredRecord[] {
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
