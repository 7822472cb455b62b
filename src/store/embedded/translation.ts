/**
 * Other programs that read an image layout pass over manifests under Docker's media types. For an image that has such a
 * one, the same manifest with OCI's media types lies beside it, and `index.json` names that. Its digest is in the record, so that
 * it stays as long as the record; nothing that Pulley does needs it.
 */
import { createHash } from "node:crypto";
import { asOciManifest, isDigest, type Manifest, manifestLimit, parseManifest } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import type { Content, StoredRecord } from "../stored-record.ts";
import type { Blobs } from "./blobs.ts";

interface Translation extends Content {
  readonly bytes: Uint8Array;
}

export function translate(manifest: Manifest): Translation | undefined {
  const bytes = asOciManifest(manifest);
  if (bytes === undefined) return undefined;
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (!isDigest(digest)) throw new PulleyError("INTERNAL", `${digest} is no digest`);
  return { digest, size: bytes.length, bytes };
}

/**
 * Makes a record's translation if it has one that is not there. A lease must protect it, as all content.
 * @throws PulleyError `IMAGE_NOT_FOUND`, `BLOB_DAMAGED` if the manifest is not there
 */
export async function ensureTranslation(blobs: Blobs, { manifest, ociManifest }: StoredRecord): Promise<void> {
  if (ociManifest === undefined || (await blobs.has(ociManifest))) return;
  const parsed = parseManifest(await blobs.read(manifest.digest, manifestLimit), manifest.mediaType);
  const made = parsed.kind === "manifest" ? translate(parsed) : undefined;
  if (made === undefined || made.digest !== ociManifest.digest) return;
  await blobs.write(made, made.bytes);
}
