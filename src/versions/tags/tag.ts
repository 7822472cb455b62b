/**
 * Reads a tag as a version. A tag has no grammar of its own (distribution-spec 1.1 says only which characters it may have),
 * so this is what publishers write:
 *
 * ```text
 * tag      = artifact | hash | version | words
 * artifact = "sha256-" 64hex [ ".sig" | ".att" | … ]         a signature or attestation of some image
 * hash     = [ words sep ] [ "sha-" ] 7*64hex                 a commit; alone, it may have digits only
 * version  = [ prefix ] release *( channel | counter | commit | suffix )
 * prefix   = *( words sep ) [ "v" ]                           v, release-, jammy-, RELEASE.
 * release  = date | 1*DIGIT "u" 1*DIGIT | 1*DIGIT *( "." 1*DIGIT )
 * date     = YYYYMM | YYYYMMDD | YYYYMMDDhhmm | YYYYMMDDhhmmss | YYYY-MM-DD [ "Thh-mm-ssZ" ]
 * channel  = [ sep ] ( "alpha" | "beta" | "rc" | … ) [ [ sep ] numbers ]      -rc.1, b1, -ea-35
 * counter  = sep numbers | [ sep ] ( "r" | "k3s" | "ls" | … ) [ sep ] numbers   -0, _12, -r5, -k3s1
 * commit   = sep [ "g" ] 7*40hex                              -8b53cabe0; it identifies a build and has no order
 * suffix   = sep words                                        -alpine3.19, -jdk-17, -slim-bookworm
 * sep      = "-" | "_" | "."
 * ```
 *
 * A plain number is a counter only directly behind the release; behind a word it is the word's own version (`-debian-12`),
 * unless it is a day (`-minimal-20240530`).
 */

import { endsInHash } from "./commit.ts";
import type { TagReading } from "./reading.ts";
import { compactDate, findRelease } from "./release.ts";
import { readVersion } from "./version.ts";

/** Reads a tag. Any text gives a reading; nothing throws. Takes time in proportion to its length. */
export function readTag(tag: string): TagReading {
  if (/^sha(?:256|384|512)-[0-9a-f]{32,}(?:[.-][\w.-]*)?$/.test(tag)) return { kind: "artifact", tag };
  // A commit without a letter would be the newest version of all: nobody counts builds so far.
  if (/^\d{7,}$/.test(tag) && compactDate(tag) === undefined) return { kind: "hash", tag };
  const release = findRelease(tag);
  if (release === undefined) return { kind: endsInHash(tag) ? "hash" : "words", tag };
  return readVersion(tag, release);
}
