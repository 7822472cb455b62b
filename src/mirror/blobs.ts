/** Configs and layers (distribution-spec 1.1, "Pulling blobs"). */
import { type Descriptor, type Digest, parseReference, type Repository, type Tag } from "../image/index.ts";
import { type ContentOfName, isGone, type Receiving, type Source } from "../pull/index.ts";
import { type ByteRange, type ImageRecord, type Lease, partOf } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { requireCachedUse } from "./access.ts";
import type { AuthorizedPull } from "./authorize-pull.ts";
import type { MirrorContext } from "./context.ts";
import type { FoundContent } from "./incomplete-images.ts";
import type { CacheState } from "./response.ts";
import { streamWhileDownloading } from "./stream-while-downloading.ts";
import type { RequestContext } from "./types.ts";

/** Content that the client may have. */
export interface ServedBlob {
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** The content, or a part of it; fetched first where it is not here, and verified as a whole in either case. */
  open(coming: () => void, part?: ByteRange): Promise<AsyncIterable<Buffer>>;
}

/** @throws PulleyError any of the registry and store codes, `IMAGE_REFUSED` */
export async function findBlob(
  context: MirrorContext,
  repository: Repository,
  digest: Digest,
  request: RequestContext,
): Promise<ServedBlob> {
  const { authorizer, access, stored, incomplete, deps, sources } = context;
  const { signal } = request;
  const ask = ({ repository: asked, ...call }: Source) => deps.registry.blobSize(asked, digest, { ...call, signal });
  const records = async () => (await stored.blobs(repository, digest)).map(({ record }) => record);
  const entry = await access.authorize(authorizer.outline(repository, digest), request, { ask, records });
  const held = await stored.blobs(repository, digest);
  const coming = incomplete.find(repository, digest);
  const known = held[0]?.descriptor ?? coming?.descriptor;
  const authorized = await authorizeAny(context, repository, digest, { held, coming }, request);
  requireCachedUse(entry, authorized);
  const fresh = entry.state === "fresh";
  if (known !== undefined) {
    const shown = held.length > 0 || (await deps.proofs.of(repository)).has(digest);
    const lease = held.length > 0 ? undefined : coming?.lease;
    return serve(context, known, { authorized, lease, shown, fresh }, request);
  }
  // The client has the manifest from elsewhere, or from before a restart. The size is not verified, and is not kept.
  const told = entry.answer ?? (await sources.ask(authorized, request, ask));
  access.grant(repository, request.auth);
  const descriptor = { mediaType: "application/octet-stream", digest, size: told.value };
  return serve(context, descriptor, { authorized, lease: undefined, shown: false, fresh }, request);
}

interface KnownLocations {
  readonly held: readonly ContentOfName[];
  readonly coming: FoundContent | undefined;
}

/** Content may belong to several images of the repository, and is served if one of them is allowed; unlisted content is decided by itself. */
async function authorizeAny(
  { authorizer }: MirrorContext,
  repository: Repository,
  digest: Digest,
  { held, coming }: KnownLocations,
  { signal }: RequestContext,
): Promise<AuthorizedPull> {
  const here = held.length > 0 || coming !== undefined;
  if (!here) return authorizer.image(repository, digest, signal);
  const versions = new Set([
    ...held.map(({ record }) => versionOf(record)),
    ...(coming === undefined ? [] : [coming.document?.descriptor.digest ?? digest]),
  ]);
  let refusal: unknown;
  for (const version of versions) {
    try {
      const authorized = await authorizer.image(repository, version, signal, true);
      // The copy is what would be given out, whatever another one might be.
      if (authorized.refusal !== undefined) throw new PulleyError("IMAGE_REFUSED", authorized.refusal.message);
      return authorized;
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

interface AllowedContent {
  readonly authorized: AuthorizedPull;
  /** What protects it already; absent where a name does. */
  readonly lease: Lease | undefined;
  /** Whether the repository has served this content before. */
  readonly shown: boolean;
  readonly fresh: boolean;
}

/**
 * What the repository has shown is taken to be here, and is fetched anew should it have gone, or turn out to be damaged.
 * What it has not shown is fetched, be it here or not: a digest, in whichever manifest, is no proof.
 */
async function serve(
  context: MirrorContext,
  descriptor: Descriptor,
  allowed: AllowedContent,
  request: RequestContext,
): Promise<ServedBlob> {
  const { lease, shown, fresh } = allowed;
  const { store } = context.deps;
  const fetch = async (coming: () => void, part?: ByteRange) => {
    const pieces = await fetchBlob(context, descriptor, allowed, request, coming);
    return part === undefined ? pieces : partOf(pieces, part);
  };
  const isMissing = !shown || (lease !== undefined && !(await lease.has(descriptor)));
  if (isMissing) return { descriptor, cache: "miss", open: fetch };
  const open = async (coming: () => void, part?: ByteRange) => {
    try {
      const found = part === undefined ? store.open(descriptor) : store.openPart(descriptor, part);
      const pieces = (await found)[Symbol.asyncIterator]();
      return prepended(await pieces.next(), pieces);
    } catch (error) {
      if (!isGone(error)) throw error;
      return fetch(coming, part);
    }
  };
  return { descriptor, cache: fresh ? "hit" : "stale", open };
}

async function* prepended(first: IteratorResult<Buffer>, pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    for (let piece = first; !piece.done; piece = await pieces.next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}

/** Requests for the same content share one download; one that is resumed later continues with what was received. */
async function fetchBlob(
  { deps, sources, completion, incomplete }: MirrorContext,
  descriptor: Descriptor,
  { authorized, lease, shown }: AllowedContent,
  request: RequestContext,
  coming: () => void,
): Promise<AsyncIterable<Buffer>> {
  const { store, layers } = deps;
  const { repository } = authorized.reference;
  const proofs = await deps.proofs.of(repository);
  const fetch = async (report: (receiving: Receiving) => void) => {
    const own = await store.lease();
    try {
      const onReceiving = (receiving: Receiving) => {
        if (receiving.received > 0) coming();
        report(receiving);
      };
      const task = { signal: request.signal, report: onReceiving };
      const bring = (from: Source) => layers.bring(descriptor, { ...from, proofs }, own, task);
      await sources.ask(authorized, request, bring, shown ? "node" : undefined);
      if (lease === undefined) await incomplete.addLoose(repository, descriptor);
      else await lease.has(descriptor);
    } finally {
      await own.release();
      completion.check(repository);
    }
  };
  return streamWhileDownloading(descriptor, fetch, () => store.open(descriptor));
}
