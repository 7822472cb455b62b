/** A store laid out file by file, as the first versions left it on the disk: with whatever bytes they wrote. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface OldRecord {
  readonly name: string;
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  /** Digest of the config. */
  readonly image: string;
  readonly contents: readonly { readonly digest: string; readonly size: number }[];
  readonly architecture?: string;
}

/** @param contents what lies under each digest, be it right or wrong */
export async function layOldStore(
  root: string,
  records: readonly OldRecord[],
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const folder of ["blobs/sha256", "records", "confirmed", "leases", "ingest", "trash", "damaged"]) {
    await mkdir(join(root, folder), { recursive: true, mode: 0o700 });
  }
  await writeFile(join(root, "pulley.json"), '{"formatVersion":1}\n');
  await writeFile(join(root, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  for (const [digest, bytes] of contents) await writeFile(blobPathIn(root, digest), bytes);
  for (const { architecture = "amd64", ...record } of records) {
    const platform = { os: "linux", architecture, variant: "" };
    const file = createHash("sha256").update(record.name).digest("hex");
    const text = JSON.stringify({ ...record, platform, confirmedAt: 1_700_000_000_000 });
    await writeFile(join(root, "records", file), `${text}\n`);
  }
}

export function blobPathIn(root: string, digest: string): string {
  return join(root, "blobs", digest.replace(":", "/"));
}

/** The same bytes in another order, as a piece that went to the disk before those that had come before it. */
export function misordered(bytes: Uint8Array): Buffer {
  const half = Math.max(1, bytes.length >> 1);
  return Buffer.concat([bytes.subarray(half), bytes.subarray(0, half)]);
}

/** Gives content of a store the right length and the wrong order. */
export async function misorder(root: string, digest: string): Promise<void> {
  const path = blobPathIn(root, digest);
  await writeFile(path, misordered(await readFile(path)));
}
