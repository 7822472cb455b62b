import type { Descriptor } from "../../image/index.ts";
import { openBlobFile } from "../../support/blob-file.ts";
import { PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import type { Lease } from "../image-store.ts";
import type { ArchiveFile } from "./source.ts";

/** Content of an archive to bring into the store. */
export interface ArchiveContent {
  readonly descriptor: Descriptor;
  readonly file: ArchiveFile;
}

/**
 * Brings content into the store that it does not have; what is verified is what was written. In the order of the archive, so
 * that a compressed one is read only once.
 * @throws PulleyError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK_FULL`, `STORE_FAILED`
 */
export async function receive(lease: Lease, wanted: readonly ArchiveContent[]): Promise<void> {
  const missing = new Map<string, ArchiveContent>();
  for (const each of wanted) {
    requireSize(each);
    if (!(await lease.has(each.descriptor))) missing.set(each.descriptor.digest, each);
  }
  const inOrder = [...missing.values()].sort((one, other) => one.file.position - other.file.position);
  await lease.ensureRoom(inOrder.reduce((bytes, { descriptor }) => bytes + descriptor.size, 0));
  for (const each of inOrder) await receiveOne(lease, each);
}

/** A file of another size is not the content, whether that is here already or not. */
function requireSize({ descriptor: { digest, size }, file }: ArchiveContent): void {
  if (file.size === size) return;
  const text = `${quote(file.path)} has ${file.size} bytes, but ${digest} is named with ${size}`;
  throw new PulleyError("SIZE_MISMATCH", text);
}

async function receiveOne(lease: Lease, { descriptor, file }: ArchiveContent): Promise<void> {
  const ingest = await lease.ingest(descriptor);
  try {
    await copy(file.chunks(), { descriptor, path: ingest.path });
    await ingest.commit();
  } catch (error) {
    await ingest.abandon("discard");
    throw error;
  }
}

async function copy(chunks: AsyncIterable<Buffer>, place: { descriptor: Descriptor; path: string }): Promise<void> {
  const blob = openBlobFile(place);
  try {
    // What an earlier attempt left came from elsewhere; this one has everything at hand.
    blob.empty();
    for await (const chunk of chunks) blob.append(chunk);
    blob.verify();
    await blob.flush();
  } finally {
    await blob.close();
  }
}
