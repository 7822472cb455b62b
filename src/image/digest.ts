import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";

declare const checked: unique symbol;

/** `algorithm:hex`, checked for form: safe to put into a path or an address. Source: opencontainers/go-digest. */
export type Digest = string & { readonly [checked]: "digest" };

export type DigestAlgorithm = "sha256" | "sha384" | "sha512";

/** Length of the hexadecimal part, in characters. */
const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** More characters than any digest has; patterns are not run over texts that are longer. */
const longest = 1024;

const shape = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** Why a text is not a digest, in go-digest's words and its order of checks; `undefined` if it is one. */
export function digestProblem(text: string): string | undefined {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) return "invalid checksum digest format";
  const algorithm = text.slice(0, colon);
  if (!isDigestAlgorithm(algorithm)) {
    const wellFormed = text.length <= longest && shape.test(text);
    return wellFormed ? "unsupported digest algorithm" : "invalid checksum digest format";
  }
  const hex = text.slice(colon + 1);
  if (hex.length !== hexLength[algorithm]) return "invalid checksum digest length";
  return /^[a-f0-9]+$/.test(hex) ? undefined : "invalid checksum digest format";
}

/** @throws PulleyError `DIGEST_INVALID` */
export function parseDigest(text: string): Digest {
  const problem = digestProblem(text);
  if (problem !== undefined) throw new PulleyError("DIGEST_INVALID", `${problem}: ${quote(text.slice(0, 200))}`);
  return text as Digest;
}

export function isDigest(text: string): text is Digest {
  return digestProblem(text) === undefined;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(":")) as DigestAlgorithm;
}

/** The part after the colon: lower-case hexadecimal. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/**
 * The digest of a manifest in the `imageID` of a container's status: `docker.io/library/nginx@sha256:…`,
 * `docker-pullable://nginx@sha256:…`. One that stands alone is the ID of the image, its config's digest, which no
 * registry knows.
 */
export function manifestDigestIn(imageId: string): Digest | undefined {
  const at = imageId.lastIndexOf("@");
  const digest = imageId.slice(at + 1);
  return at >= 0 && isDigest(digest) ? digest : undefined;
}

function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(hexLength, text);
}
