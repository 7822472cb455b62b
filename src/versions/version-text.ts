/** Where a tag and a digest are in the text of an image, and the text with others in their places. */
import type { Digest, Tag } from "../image/index.ts";

/** What an image is to have. A digest is needed where one is written: the old one would belong to the old tag. */
export interface WantedVersion {
  readonly tag?: Tag | undefined;
  readonly digest?: Digest | undefined;
}

/** A range of a text to replace; offsets in UTF-16 units, the end exclusive. */
export interface TextPart {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The parts to replace, none where all is as wanted; or half a sentence on why nothing is replaced. */
export type VersionParts =
  | { readonly parts: readonly TextPart[]; readonly refused?: undefined }
  | { readonly parts?: undefined; readonly refused: string };

/**
 * The parts of an image's text that change: `nginx:1.25`, `localhost:5000/app:v1@sha256:…`, and `:v1` or `v1@sha256:…`
 * alone where the name is elsewhere.
 */
export function versionParts(image: string, { tag, digest }: WantedVersion): VersionParts {
  const at = image.indexOf("@");
  const end = at < 0 ? image.length : at;
  const colon = image.lastIndexOf(":", end - 1);
  const hasTag = colon >= 0 && colon > image.lastIndexOf("/", end - 1);
  const hasDigest = at >= 0;
  const why = refusal({ tag: hasTag, digest: hasDigest }, { tag, digest });
  if (why !== undefined) return { refused: why };
  const parts: TextPart[] = [];
  if (hasTag && tag !== undefined) parts.push({ start: colon + 1, end, text: tag });
  if (hasDigest && digest !== undefined) parts.push({ start: at + 1, end: image.length, text: digest });
  return { parts: parts.filter((part) => image.slice(part.start, part.end) !== part.text) };
}

/** Why an image with or without tag and digest cannot have what is wanted; half a sentence. */
export function refusal(
  written: { readonly tag: boolean; readonly digest: boolean },
  { tag, digest }: WantedVersion,
): string | undefined {
  if (written.digest && digest === undefined) return "it has a digest, and that of the new tag is not known";
  if (written.digest) return undefined;
  if (!written.tag) return "it has no tag";
  return tag === undefined ? "it has no digest" : undefined;
}
