import { open } from "node:fs/promises";
import type { Descriptor } from "../../image/descriptor.ts";
import { hasErrno } from "../../support/errno.ts";
import { errorText, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import type { Ingest, Lease } from "../index.ts";
import type { ArchiveFile } from "./source.ts";

/** Content of an archive that the store is to have. */
export interface Wanted {
  readonly descriptor: Descriptor;
  readonly file: ArchiveFile;
}

/**
 * Brings content into the store that it does not have, verifying it as it is written. In the order of the archive, so
 * that a compressed one is read only once.
 * @throws PulleyError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK_FULL`, `STORE_FAILED`
 */
export async function receive(lease: Lease, wanted: readonly Wanted[]): Promise<void> {
  const missing = new Map<string, Wanted>();
  for (const each of wanted) {
    if (!(await lease.has(each.descriptor))) missing.set(each.descriptor.digest, each);
  }
  const inOrder = [...missing.values()].sort((one, other) => one.file.position - other.file.position);
  await lease.ensureRoom(inOrder.reduce((bytes, { descriptor }) => bytes + descriptor.size, 0));
  for (const each of inOrder) await receiveOne(lease, each);
}

async function receiveOne(lease: Lease, { descriptor, file }: Wanted): Promise<void> {
  const ingest = await lease.ingest(descriptor);
  try {
    await copy(file.chunks(), ingest, new Verifier(descriptor));
    await ingest.commit();
  } catch (error) {
    await ingest.abandon("discard");
    throw error instanceof PulleyError ? error : writeFailure(ingest.path, error);
  }
}

async function copy(chunks: AsyncIterable<Buffer>, { path }: Ingest, verifier: Verifier): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    for await (const chunk of chunks) {
      verifier.update(chunk);
      await file.appendFile(chunk);
    }
    verifier.finish();
  } finally {
    await file.close();
  }
}

function writeFailure(path: string, cause: unknown): PulleyError {
  return new PulleyError(
    hasErrno(cause, "ENOSPC", "EDQUOT") ? "DISK_FULL" : "STORE_FAILED",
    `${path}: ${errorText(cause)}`,
    { cause },
  );
}
