import { isPulleyError, type PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { JsonCursor } from "../support/json-cursor.ts";
import { type Digest, digestProblem, isDigest } from "./digest.ts";
import { isMediaType } from "./media-type.ts";
import { isPlatformComponent, normalisePlatform, type Platform } from "./platform.ts";

/** A pointer to content: what it is, its digest and its size (image-spec `descriptor.md`). Checked when it was parsed. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; never negative. */
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** What kind of artifact it is, where it is one (image-spec 1.1). */
  readonly artifactType?: string | undefined;
  /** Addresses where the content is, too. Whoever made the manifest chose them, and nobody has checked them. */
  readonly urls?: readonly string[] | undefined;
}

/** Bytes: a tebibyte, more than any layer that registries take. */
const largestContent = 2 ** 40;
const mostAddresses = 10;

/** @throws PulleyError with the place of what is wrong */
export function readDescriptor(here: JsonCursor): Descriptor {
  const { platform, read } = beginDescriptor(here);
  return { ...read(), platform };
}

/** An entry that no program could fetch, and for which platform it is. */
export interface Unusable {
  readonly kind: "unusable";
  readonly platform: Platform | undefined;
  /** What is wrong with it. */
  readonly failure: PulleyError;
}

/**
 * Reads an entry of a list, of which one is chosen: others need not be sound, for no program looks at them.
 * @throws PulleyError where programs could differ in which entry they choose
 */
export function readEntry(here: JsonCursor): { kind: "usable"; descriptor: Descriptor } | Unusable {
  const { platform, read } = beginDescriptor(here);
  try {
    return { kind: "usable", descriptor: { ...read(), platform } };
  } catch (failure) {
    if (!isPulleyError(failure)) throw failure;
    return { kind: "unusable", platform, failure };
  }
}

/** Reads what no two programs may read differently; the rest when it is wanted. */
function beginDescriptor(here: JsonCursor) {
  const field = here.object("mediaType", "digest", "size", "platform", "annotations", "urls", "data", "artifactType");
  const read = () => ({
    mediaType: readMediaType(field("mediaType")),
    digest: readDigest(field("digest")),
    size: field("size").integer(0, largestContent),
    annotations: field("annotations").optional((place) => place.strings()),
    artifactType: field("artifactType").optional(readArtifactType),
    ...addressesIn(field("urls").someStrings(mostAddresses)),
  });
  return { platform: field("platform").optional(readPlatform), read };
}

/** Few descriptors have addresses: the others are spared the key. */
function addressesIn(urls: readonly string[]): Pick<Descriptor, "urls"> {
  return urls.length === 0 ? {} : { urls };
}

export function readDigest(here: JsonCursor): Digest {
  const text = here.string();
  if (!isDigest(text)) throw here.failure(`${digestProblem(text)}: ${quote(text.slice(0, 200))}`);
  return text;
}

export function readMediaType(here: JsonCursor): string {
  const text = here.string();
  if (!isMediaType(text)) throw here.failure(`${quote(text.slice(0, 200))} is not a media type`);
  return text;
}

/** What an artifact says that it is: any text, for nothing depends on it but the order in which entries are tried. */
export function readArtifactType(here: JsonCursor): string | undefined {
  return here.string() || undefined;
}

/** The platform, or `undefined` where it names neither system nor processor, as some old tools wrote it. */
function readPlatform(here: JsonCursor): Platform | undefined {
  const field = here.object("os", "architecture", "variant", "os.version", "os.features");
  const part = (name: "os" | "architecture" | "variant") => field(name).optional(readComponent) ?? "";
  const [os, architecture, variant] = [part("os"), part("architecture"), part("variant")];
  if (os === "" && architecture === "") return undefined;
  return normalisePlatform({ os, architecture, variant });
}

/** A part of a platform; it may be empty. What cannot be one is unknown, as no machine's is. */
export function readComponent(here: JsonCursor): string {
  const text = here.string();
  return text === "" || isPlatformComponent(text) ? text : "unknown";
}
