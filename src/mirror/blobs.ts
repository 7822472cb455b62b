/** Configs and layers (distribution-spec 1.1, "Pulling blobs"). */
import { type Descriptor, type Digest, parseReference, type Repository, type Tag } from "../image/index.ts";
import { type Holding, isGone, type Receiving, type Source } from "../pull/index.ts";
import { type ImageRecord, type Lease, type Part, partOf } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { requireAnswer } from "./access.ts";
import type { CacheState } from "./answer.ts";
import type { Judged } from "./authorize-pull.ts";
import type { Workshop } from "./context.ts";
import type { Found } from "./incomplete-images.ts";
import { follow } from "./stream-while-downloading.ts";
import type { Visit } from "./types.ts";

/** Content that the caller may have. */
export interface ServedBlob {
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** The content, or a part of it; fetched first where it is not here, and verified as a whole in either case. */
  open(coming: () => void, part?: Part): Promise<AsyncIterable<Buffer>>;
}

/** @throws PulleyError any of the registry and store codes, `IMAGE_REFUSED` */
export async function findBlob(
  workshop: Workshop,
  repository: Repository,
  digest: Digest,
  visit: Visit,
): Promise<ServedBlob> {
  const { judge, access, holdings, pending, ground, sources } = workshop;
  const { signal } = visit;
  const ask = ({ repository: asked, ...call }: Source) => ground.registry.blobSize(asked, digest, { ...call, signal });
  const records = async () => (await holdings.blobs(repository, digest)).map(({ record }) => record);
  const entry = await access.enter(judge.outline(repository, digest), visit, { ask, records });
  const held = await holdings.blobs(repository, digest);
  const coming = pending.find(repository, digest);
  const known = held[0]?.descriptor ?? coming?.descriptor;
  const judged = await judgeAny(workshop, repository, digest, { held, coming }, visit);
  requireAnswer(entry, judged);
  const fresh = entry.state === "fresh";
  if (known !== undefined) {
    const shown = held.length > 0 || (await ground.proofs.of(repository)).has(digest);
    const lease = held.length > 0 ? undefined : coming?.lease;
    return serve(workshop, known, { judged, lease, shown, fresh }, visit);
  }
  // A client that has the manifest from elsewhere, or from before this process began. The size is hearsay, and forgotten.
  const told = entry.told ?? (await sources.ask(judged, visit, ask));
  access.grant(repository, visit.caller);
  const descriptor = { mediaType: "application/octet-stream", digest, size: told.value };
  return serve(workshop, descriptor, { judged, lease: undefined, shown: false, fresh }, visit);
}

interface Ways {
  readonly held: readonly Holding[];
  readonly coming: Found | undefined;
}

/** Content may belong to several images of the repository: it is to be had if one of them is; what nothing here leads to, for itself. */
async function judgeAny(
  { judge }: Workshop,
  repository: Repository,
  digest: Digest,
  { held, coming }: Ways,
  { signal }: Visit,
): Promise<Judged> {
  const here = held.length > 0 || coming !== undefined;
  if (!here) return judge.image(repository, digest, signal);
  const versions = new Set([
    ...held.map(({ record }) => versionOf(record)),
    ...(coming === undefined ? [] : [coming.document?.descriptor.digest ?? digest]),
  ]);
  let refusal: unknown;
  for (const version of versions) {
    try {
      const judged = await judge.image(repository, version, signal, true);
      // The copy is what would be given out, whatever another one might be.
      if (judged.refusal !== undefined) throw new PulleyError("IMAGE_REFUSED", judged.refusal.message);
      return judged;
    } catch (error) {
      if (!isPulleyError(error, "IMAGE_REFUSED", "IMAGE_NOT_FOUND")) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function versionOf({ name, target }: ImageRecord): Tag | Digest {
  const { tag, digest } = parseReference(name);
  return tag ?? digest ?? target.digest;
}

interface Allowed {
  readonly judged: Judged;
  /** What protects it already; absent where a name does. */
  readonly lease: Lease | undefined;
  /** Whether the repository has given this content before. */
  readonly shown: boolean;
  readonly fresh: boolean;
}

/**
 * What the repository has shown is taken to be here, and is fetched anew should it have gone, or turn out to be damaged.
 * What it has not shown is fetched, be it here or not: a digest, in whichever manifest, is no proof.
 */
async function serve(workshop: Workshop, descriptor: Descriptor, allowed: Allowed, visit: Visit): Promise<ServedBlob> {
  const { lease, shown, fresh } = allowed;
  const { store } = workshop.ground;
  const fetch = async (coming: () => void, part?: Part) => {
    const pieces = await fetchBlob(workshop, descriptor, allowed, visit, coming);
    return part === undefined ? pieces : partOf(pieces, part);
  };
  const isMissing = !shown || (lease !== undefined && !(await lease.has(descriptor)));
  if (isMissing) return { descriptor, cache: "miss", open: fetch };
  const open = async (coming: () => void, part?: Part) => {
    try {
      const found = part === undefined ? store.open(descriptor) : store.openPart(descriptor, part);
      const pieces = (await found)[Symbol.asyncIterator]();
      return begunWith(await pieces.next(), pieces);
    } catch (error) {
      if (!isGone(error)) throw error;
      return fetch(coming, part);
    }
  };
  return { descriptor, cache: fresh ? "hit" : "stale", open };
}

async function* begunWith(first: IteratorResult<Buffer>, pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    for (let piece = first; !piece.done; piece = await pieces.next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}

/** Whoever asks meanwhile waits for the same download, and who breaks off and comes back finds what has been received. */
async function fetchBlob(
  { ground, sources, settler, pending }: Workshop,
  descriptor: Descriptor,
  { judged, lease, shown }: Allowed,
  visit: Visit,
  coming: () => void,
): Promise<AsyncIterable<Buffer>> {
  const { store, layers } = ground;
  const { repository } = judged.reference;
  const proofs = await ground.proofs.of(repository);
  const fetch = async (report: (receiving: Receiving) => void) => {
    const own = await store.lease();
    try {
      const hear = (receiving: Receiving) => {
        if (receiving.received > 0) coming();
        report(receiving);
      };
      const crew = { signal: visit.signal, report: hear };
      const bring = (from: Source) => layers.bring(descriptor, { ...from, proofs }, own, crew);
      await sources.ask(judged, visit, bring, shown ? "node" : undefined);
      if (lease === undefined) await pending.addLoose(repository, descriptor);
      else await lease.has(descriptor);
    } finally {
      await own.release();
      settler.look(repository);
    }
  };
  return follow(descriptor, fetch, () => store.open(descriptor));
}
