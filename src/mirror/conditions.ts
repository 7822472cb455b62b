/** Conditions that a client sets on an answer (RFC 9110, section 13). Content under a digest has that for its tag. */
import type { Digest } from "../image/index.ts";

export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** Whether a client that sends this `If-None-Match` has the content already. */
export function hasAlready(ifNoneMatch: string | undefined, digest: Digest): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  // Some clients send the digest without its quotes, which the RFC asks for.
  return tags.some((tag) => tag === "*" || tag === etagOf(digest) || tag === digest);
}

/** Whether a `Range` holds: without `If-Range` always, with it only for the same content. A date says nothing of content. */
export function rangeHolds(ifRange: string | undefined, digest: Digest): boolean {
  return ifRange === undefined || ifRange.trim() === etagOf(digest);
}
