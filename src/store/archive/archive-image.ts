import {
  canonicalText,
  type Descriptor,
  type Digest,
  type Platform,
  parseReference,
  withImpliedTag,
} from "../../image/index.ts";
import { errorText } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import type { ArchiveContent } from "./receive.ts";
import { invalid } from "./source.ts";

/** An image in an archive: read and checked, except for its layers' bytes. */
export interface ArchiveImage {
  /** Normalised names with a tag; may be empty. */
  readonly names: readonly string[];
  readonly id: Digest;
  readonly platform: Platform;
  /** An index or the manifest. */
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  /** Indexes, manifest and config. */
  readonly documents: readonly ArchiveDocument[];
  readonly layers: readonly ArchiveContent[];
}

export interface ArchiveDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * The normalised name with a tag of a text in an archive; `undefined` for a digest, which is no name.
 * @throws PulleyError `ARCHIVE_INVALID` with the place
 */
export function readName(text: string, at: string): string | undefined {
  try {
    const reference = withImpliedTag(parseReference(text));
    return reference.tag === undefined ? undefined : canonicalText({ ...reference, digest: undefined });
  } catch (error) {
    throw invalid(`${at}: ${quote(text.slice(0, 300))} is no name for an image: ${errorText(error)}`);
  }
}
