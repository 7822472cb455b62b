/** The digests that run beside what their tag has now. */
import type { Digest, Reference } from "../image/index.ts";
import { isPulleyError } from "../support/errors.ts";
import type { Upstream } from "./upstream.ts";

/** What a registry says of the digests that run of an image. */
export interface ComparedCopies {
  /** What the tag has now; `undefined` where there is no tag, or it is gone. */
  readonly now: Digest | undefined;
  /** Those that the tag has now: its own digest, and those of its platforms, which some runtimes report. */
  readonly current: ReadonlySet<Digest>;
  /** Those that the registry does not have any more. */
  readonly gone: ReadonlySet<Digest>;
}

/**
 * Of an image with a tag alone, one HEAD for the tag; where a digest is another one, a GET of the tag's index, once, and a
 * HEAD for each digest that is not in it (and a GET where the registry does not find it). Of an image with a digest, one HEAD for that.
 * @throws PulleyError any of the registry codes
 */
export async function compareCopies(
  { tag, digest }: Pick<Reference, "tag" | "digest">,
  runs: readonly Digest[],
  upstream: Upstream,
): Promise<ComparedCopies> {
  if (digest !== undefined || tag === undefined)
    return compareDigests(digest === undefined ? runs : [digest], upstream);
  const now = await foundOr(undefined, async () => (await upstream.resolve(tag)).digest);
  const current = new Set<Digest>();
  for (const each of runs) {
    if (each === now || (now !== undefined && (await upstream.lists(tag, each)))) current.add(each);
  }
  const { gone } = await compareDigests(
    runs.filter((each) => !current.has(each)),
    upstream,
  );
  return { now, current, gone };
}

async function compareDigests(digests: readonly Digest[], upstream: Upstream): Promise<ComparedCopies> {
  const gone = new Set<Digest>();
  for (const digest of digests) {
    const isThere = await foundOr(false, async () => (await upstream.resolve(digest)) !== undefined);
    if (!isThere) gone.add(digest);
  }
  return { now: undefined, current: new Set(), gone };
}

async function foundOr<Value, Absent>(absent: Absent, ask: () => Promise<Value>): Promise<Value | Absent> {
  try {
    return await ask();
  } catch (error) {
    if (isPulleyError(error, "REGISTRY_NOT_FOUND")) return absent;
    throw error;
  }
}
