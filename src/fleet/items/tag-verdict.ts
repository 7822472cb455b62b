/** Whether the pods of a tag run the same image, and whether it is what the tag has now. */
import type { RunningCopies, RunningTag } from "../running.ts";
import type { UpstreamImage } from "../upstream/answers.ts";

export type TagVerdict =
  /** All run the same image, and nothing says that it is older than the tag. */
  | { readonly kind: "same" }
  /** They run several. */
  | { readonly kind: "mixed"; readonly digests: readonly RunningDigest[]; readonly now: string | undefined }
  /** They run the same, and the tag has another one now. */
  | { readonly kind: "moved"; readonly digests: readonly RunningDigest[]; readonly now: string };

export interface RunningDigest {
  readonly digest: string;
  readonly copies: RunningCopies;
  /** Beside what the tag has now; `unknown` where no registry has told. */
  readonly standing: "current" | "older" | "unknown";
  /** Whether the registry does not have it any more. */
  readonly isGone: boolean;
}

/** @param upstream what the registry says of the image; `undefined` where it was not asked */
export function verdictOf(tag: RunningTag, upstream: UpstreamImage | undefined): TagVerdict {
  const now = upstream?.copies?.now;
  const current: ReadonlySet<string> = upstream?.copies?.current ?? new Set();
  const gone: ReadonlySet<string> = upstream?.copies?.gone ?? new Set();
  const digests = [...tag.digests]
    .map(([digest, copies]): RunningDigest => {
      const standing = now === undefined ? "unknown" : current.has(digest) ? "current" : "older";
      return { digest, copies, standing, isGone: gone.has(digest) };
    })
    .toSorted((one, other) => other.copies.containers - one.copies.containers);
  if (now === undefined) return digests.length > 1 ? { kind: "mixed", digests, now } : { kind: "same" };
  const older = digests.filter(({ standing }) => standing === "older");
  if (older.length === 0) return { kind: "same" };
  const isOne = older.length === digests.length && (older.length === 1 || areByPlatform(older));
  return isOne ? { kind: "moved", digests, now } : { kind: "mixed", digests, now };
}

/** Some runtimes give the digest of the platform's manifest, others that of the index. */
export function areByPlatform(digests: readonly RunningDigest[]): boolean {
  const seen = digests.flatMap(({ copies }) => [...copies.architectures]);
  return digests.every(({ copies }) => copies.architectures.size === 1) && new Set(seen).size === seen.length;
}
