/** Making an image visible under its names. */

import { createHash } from "node:crypto";
import {
  asOciManifest,
  configLimit,
  type Descriptor,
  type Digest,
  isDigest,
  type Manifest,
  manifestLimit,
  parseImageConfig,
  parseManifest,
} from "../../image/index.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { type Catalog, describeImage } from "../catalog.ts";
import { syncDirectory } from "../files.ts";
import type { ImageRecord, StoredImage } from "../image-store.ts";
import {
  type Content,
  checkName,
  needs,
  type StoredRecord,
  uniqueByDigest,
  withoutAnnotations,
} from "../stored-record.ts";
import type { Blobs } from "./blobs.ts";
import type { LeaseFile } from "./lease-file.ts";
import { blobFolder, type StorePaths } from "./paths.ts";
import { contentsToKeep } from "./record.ts";
import type { Records } from "./records.ts";

export interface EmbeddedPublication {
  readonly paths: StorePaths;
  readonly blobs: Blobs;
  readonly records: Records;
  readonly lease: LeaseFile;
}

/**
 * Content, then the folders that name it, then the records: whatever a power cut leaves, a record that is there names
 * content that is there. Names with a digest come before tags, which people look at.
 */
export async function publish(
  publication: EmbeddedPublication,
  wanted: readonly ImageRecord[],
  known?: Manifest,
): Promise<StoredImage> {
  const { paths, blobs, records, lease } = publication;
  const [first] = wanted;
  if (first === undefined) throw new PulleyError("INTERNAL", "an image is published without any name");
  const { complete, contents } = await completeRecords(blobs, first, wanted, known);
  await lease.add(complete.flatMap(contentsToKeep).map(({ digest }) => digest));
  await requireContents(blobs, contents);
  for (const record of complete) await ensureTranslation(blobs, record);
  const folders = contents.map(({ digest }) => blobFolder(paths, digest));
  await Promise.all([...new Set([paths.blobs, ...folders])].map(syncDirectory));
  const nameless = await keepNameless(publication, complete);
  await records.write([...nameless, ...complete.toSorted(digestsFirst)]);
  // Only a process that took this one for dead can have collected anything since; the records stand in its way now.
  await requireContents(blobs, contents);
  // Where another process has removed it again already, as it was.
  return (await records.current()).image(first.image) ?? describeImage(first.image, complete);
}

interface CompleteRecords {
  readonly complete: readonly StoredRecord[];
  /** Everything that is said of content: the same content more than once, perhaps with several sizes. */
  readonly contents: readonly Content[];
}

/** Adds what only the content tells. All names of one call stand for one image. */
async function completeRecords(
  blobs: Blobs,
  first: ImageRecord,
  wanted: readonly ImageRecord[],
  known: Manifest | undefined,
): Promise<CompleteRecords> {
  for (const record of wanted) {
    checkName(record);
    if (record.image !== first.image || record.manifest.digest !== first.manifest.digest) {
      throw new PulleyError("INTERNAL", `${record.name} is published together with another image's name`);
    }
  }
  const manifest = known ?? (await readManifest(blobs, first.manifest));
  if (manifest.config.digest !== first.image) {
    throw new PulleyError("INTERNAL", `${first.name} is published as ${first.image}, but is ${manifest.config.digest}`);
  }
  const { createdAt } = parseImageConfig(await readPart(blobs, manifest.config.digest, configLimit));
  const parts = [manifest.config, ...manifest.layers];
  const contents = uniqueByDigest([first.manifest, ...parts]);
  const translation = translate(manifest);
  const complete = wanted.map((record) => ({
    ...record,
    target: withoutAnnotations(record.target),
    manifest: withoutAnnotations(record.manifest),
    createdAt,
    contents,
    ...(translation !== undefined && { ociManifest: { digest: translation.digest, size: translation.size } }),
  }));
  return { complete, contents: [...wanted.flatMap(({ target, manifest: own }) => [own, target]), ...parts] };
}

async function readManifest(blobs: Blobs, { digest, mediaType }: Descriptor): Promise<Manifest> {
  const manifest = parseManifest(await readPart(blobs, digest, manifestLimit), mediaType);
  if (manifest.kind === "manifest") return manifest;
  throw new PulleyError("INTERNAL", `${digest} is published as an image's manifest, but is an index`);
}

async function readPart(blobs: Blobs, digest: Digest, limit: number): Promise<Buffer> {
  try {
    return await blobs.read(digest, limit);
  } catch (error) {
    throw isPulleyError(error, "IMAGE_NOT_FOUND") ? incomplete(digest) : error;
  }
}

async function requireContents(blobs: Blobs, contents: readonly Content[]): Promise<void> {
  for (const content of contents) if (!(await blobs.has(content))) throw incomplete(content.digest);
}

function incomplete(digest: Digest): PulleyError {
  return new PulleyError("CONTENT_MISSING", `the image cannot be made visible: ${digest} is not in the store`);
}

/** An image whose last name goes to another one stays, as in docker, without a name; unless it is being removed. */
async function keepNameless(
  publication: EmbeddedPublication,
  coming: readonly StoredRecord[],
): Promise<readonly StoredRecord[]> {
  const { blobs, records, lease } = publication;
  const losing = losingLastName(await records.current(), coming);
  const kept: StoredRecord[] = [];
  for (const record of losing) {
    await lease.add(contentsToKeep(record).map(({ digest }) => digest));
    if (await areThere(blobs, needs(record))) kept.push({ ...record, name: record.image, confirmedAt: undefined });
  }
  return kept;
}

/** A record of each image that would have none. */
function losingLastName(before: Catalog, coming: readonly StoredRecord[]): readonly StoredRecord[] {
  const taken = new Map(coming.map((record) => [record.name, record]));
  const candidates = new Map<Digest, StoredRecord>();
  for (const { name, image } of coming) {
    const old = before.records.get(name);
    if (old !== undefined && old.image !== image) candidates.set(old.image, old);
  }
  return [...candidates.values()].filter((old) => before.of(old.image).every(({ name }) => taken.has(name)));
}

async function areThere(blobs: Blobs, contents: readonly Content[]): Promise<boolean> {
  for (const { digest } of contents) if (!(await blobs.isThere(digest))) return false;
  return true;
}

function digestsFirst(one: StoredRecord, other: StoredRecord): number {
  return Number(other.name.includes("@")) - Number(one.name.includes("@"));
}

// Other programs that read an image layout pass over manifests under Docker's media types. For an image that has such a
// one, the same manifest with OCI's media types lies beside it, and `index.json` names that. Its digest is in the record, so that
// it stays as long as the record; nothing that Pulley does needs it.

interface Translation extends Content {
  readonly bytes: Uint8Array;
}

function translate(manifest: Manifest): Translation | undefined {
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
