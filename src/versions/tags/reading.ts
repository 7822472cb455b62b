/** What a tag says. Its grammar is in tag.ts. */

/** How the release is counted. Versions that are counted differently are never compared. */
export type Scheme = "number" | "year" | "date" | "build";

/** A tag that has a version in it. */
export interface VersionTag {
  readonly kind: "version";
  readonly tag: string;
  /** The tag with `#` for every number that may rise: `v#.#.#`, `#.#.#-debian-12-r#`. Tags of one family are compared. */
  readonly family: string;
  readonly scheme: Scheme;
  /** What stands before the release; a commit in it is written `<commit>`. */
  readonly prefix: string;
  /** At least one; of a date, year, month, day and so on. Their number is the precision. */
  readonly numbers: readonly bigint[];
  /** `rc`, `alpha`, `beta`, `dev`, …; null for a release. */
  readonly channel: string | null;
  /** Which one of its channel: of `rc.1`, 1. */
  readonly preRelease: readonly bigint[];
  /** Builds of the same release, in the order of the tag: of `-debian-12-r5`, 5. */
  readonly counters: readonly bigint[];
  readonly commit: string | null;
  /** What names the variant, with its own versions: `-alpine3.19`. */
  readonly suffix: string;
  /** The numbers in the suffix. */
  readonly suffixNumbers: readonly bigint[];
  /** The family where the numbers in the suffix may rise, too: `#.#-alpine#.#`. */
  readonly familyOfBases: string;
}

/** A tag without a version: it is judged by its digest. */
export interface PlainTag {
  /** `hash`: a commit; `words`: latest, bookworm, fpm-alpine3.18; `artifact`: a signature, an attestation, an SBOM. */
  readonly kind: "hash" | "words" | "artifact";
  readonly tag: string;
}

export type TagReading = VersionTag | PlainTag;
