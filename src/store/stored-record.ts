/** A name with everything that its image consists of, whichever way it is kept. */
import { type Descriptor, type Digest, isCanonicalName } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { ImageRecord } from "./image-store.ts";

export interface Content {
  readonly digest: Digest;
  readonly size: number;
}

export interface StoredRecord extends ImageRecord {
  /** When the image's config says that it was made, in milliseconds since the epoch. */
  readonly createdAt: number | undefined;
  /** Manifest, config and layers, each once. */
  readonly contents: readonly Content[];
  /** The translation of a Docker manifest to OCI's media types: see `embedded/translation.ts`. */
  readonly ociManifest?: Content;
  /** Whether the container runtime keeps the image whatever happens. */
  readonly pinned?: boolean;
}

/** Everything that a record needs: the image's contents, and the index that the name resolves to. */
export function needs({ target, contents }: StoredRecord): readonly Content[] {
  return contents.some(({ digest }) => digest === target.digest) ? contents : [...contents, target];
}

/** Whether an image has a record under this name because it has no other: then the name is its id. */
export function isNameless(record: Pick<ImageRecord, "name" | "image">): boolean {
  return record.name === record.image;
}

/**
 * That a record's name is one that can be found again.
 * @throws PulleyError `REFERENCE_INVALID` unless it is normalised, with a tag or a digest, or the image's own id
 */
export function checkName(record: Pick<ImageRecord, "name" | "image">): void {
  if (isNameless(record)) return;
  if (isCanonicalName(record.name)) return;
  throw new PulleyError("REFERENCE_INVALID", `${quote(record.name)} is not a normalised name with a tag or a digest`);
}

/** A descriptor without what other documents say beside it. */
export function withoutAnnotations({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** A record as other rooms know it. */
export function toImageRecord({ name, target, image, manifest, platform, confirmedAt }: StoredRecord): ImageRecord {
  return { name, target, image, manifest, platform, ...(confirmedAt !== undefined && { confirmedAt }) };
}

/** Descriptors as contents, each once. */
export function uniqueByDigest(descriptors: readonly Descriptor[]): readonly Content[] {
  return [...new Map(descriptors.map(({ digest, size }) => [digest, { digest, size }])).values()];
}
