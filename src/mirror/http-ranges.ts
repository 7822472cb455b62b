/** Conditional and partial requests (RFC 9110, sections 13 and 14). The entity tag of content is its digest. */
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

type RequestedRange =
  | { readonly kind: "whole" }
  /** From the first byte to the last, both included. */
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  | { readonly kind: "unsatisfiable" };

const whole: RequestedRange = { kind: "whole" };

/**
 * Which part a `Range` asks for. Several at once are answered with the whole, as the RFC allows: no client of registries
 * asks for them, and they are how servers were made to work for nothing (CVE-2011-3192). So is what cannot be read.
 * @param size of the content, in bytes
 */
export function readRange(header: string | undefined, size: number): RequestedRange {
  const [, first, last] = /^\s*bytes\s*=\s*([0-9]{0,15})-([0-9]{0,15})\s*$/i.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return whole;
  if (first === "") return fromEnd(Number(last), size);
  const [from, to] = [Number(first), last === "" ? size - 1 : Number(last)];
  if (last !== "" && to < from) return whole;
  return from < size ? { kind: "part", first: from, last: Math.min(to, size - 1) } : { kind: "unsatisfiable" };
}

function fromEnd(length: number, size: number): RequestedRange {
  if (length === 0 || size === 0) return { kind: "unsatisfiable" };
  return { kind: "part", first: Math.max(0, size - length), last: size - 1 };
}
