/** The record of a name: a file that lists everything that its image consists of. */
import { createHash } from "node:crypto";
import { normalisePlatform, readDescriptor, readDigest } from "../../image/index.ts";
import { type JsonCursor, readJson } from "../../support/json-cursor.ts";
import type { ImageRecord } from "../image-store.ts";
import { type Content, checkName, needs, type StoredRecord, withoutAnnotations } from "../stored-record.ts";

/** Bytes: more than a record with the most layers that a manifest may have. */
export const recordLimit = 1024 * 1024;
const mostContents = 1024;
const largestContent = 2 ** 40;
/** Milliseconds: what a JavaScript date can be. */
const furthestTime = 8.64e15;

/** Everything that stays as long as a record is there. */
export function contentsToKeep(record: StoredRecord): readonly Content[] {
  return record.ociManifest === undefined ? needs(record) : [...needs(record), record.ociManifest];
}

/** Names have characters and lengths that file names must not have. */
export function recordFile(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

export function formatRecord(record: StoredRecord): Buffer {
  const { name, target, image, manifest, platform, confirmedAt, createdAt, contents, ociManifest } = record;
  const listed = contents.map(({ digest, size }) => ({ digest, size }));
  const [short, shortTarget] = [withoutAnnotations(manifest), withoutAnnotations(target)];
  const value = {
    name,
    target: shortTarget,
    image,
    manifest: short,
    platform,
    confirmedAt,
    createdAt,
    contents: listed,
    ociManifest,
  };
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/**
 * @param file the name of the file, which must be the name's
 * @throws PulleyError `STORE_INVALID` with the place
 */
export function parseRecord(bytes: Uint8Array, file: string): StoredRecord {
  const root = readJson(bytes, { name: "record", code: "STORE_INVALID", limit: recordLimit });
  const field = root.object(
    ...(["name", "target", "image", "manifest", "platform"] as const),
    ...(["confirmedAt", "createdAt", "contents", "ociManifest"] as const),
  );
  const confirmedAt = field("confirmedAt").optional(readTime);
  const ociManifest = field("ociManifest").optional(readContent);
  const record = {
    name: field("name").string(),
    target: withoutAnnotations(readDescriptor(field("target"))),
    image: readDigest(field("image")),
    manifest: withoutAnnotations(readDescriptor(field("manifest"))),
    platform: readPlatform(field("platform")),
    ...(confirmedAt !== undefined && { confirmedAt }),
    createdAt: field("createdAt").optional(readTime),
    contents: field("contents").list(mostContents).map(readContent),
    ...(ociManifest !== undefined && { ociManifest }),
  };
  if (recordFile(record.name) !== file) throw root.failure("stands in the file of another name");
  checkName(record);
  return record;
}

/** Milliseconds since the epoch. */
export function readTime(here: JsonCursor): number {
  return here.integer(-furthestTime, furthestTime);
}

function readPlatform(here: JsonCursor): ImageRecord["platform"] {
  const field = here.object("os", "architecture", "variant");
  return normalisePlatform({
    os: field("os").string(),
    architecture: field("architecture").string(),
    variant: field("variant").string(),
  });
}

function readContent(here: JsonCursor): Content {
  const field = here.object("digest", "size");
  return { digest: readDigest(field("digest")), size: field("size").integer(0, largestContent) };
}
