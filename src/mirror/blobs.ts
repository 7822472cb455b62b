/** Configs and layers (distribution-spec 1.1, "Pulling blobs"). */
import type { Descriptor } from "../image/descriptor.ts";
import type { Digest } from "../image/digest.ts";
import { parseReference, type Repository, type Tag } from "../image/reference.ts";
import type { Receiving } from "../node/fetch.ts";
import type { ImageRecord, Lease } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { CacheState } from "./answer.ts";
import { follow } from "./following.ts";
import type { Holding } from "./holdings.ts";
import type { Judged } from "./judging.ts";
import type { Found } from "./pending.ts";
import type { Visit } from "./types.ts";
import type { Workshop } from "./workshop.ts";

/** Content that the caller may have. */
export interface ServedBlob {
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** The whole content; fetched first where it is not here, and verified in either case. */
  open(): Promise<AsyncIterable<Buffer>>;
}

/** @throws PulleyError any of the registry and store codes, `IMAGE_REFUSED` */
export async function findBlob(
  workshop: Workshop,
  repository: Repository,
  digest: Digest,
  visit: Visit,
): Promise<ServedBlob> {
  const held = await workshop.holdings.blobs(repository, digest);
  const coming = workshop.pending.find(repository, digest);
  const descriptor = held[0]?.descriptor ?? coming?.descriptor;
  if (descriptor === undefined) return findElsewhere(workshop, repository, digest, visit);
  const { judged, version } = await judgeAny(workshop, repository, digest, { held, coming }, visit);
  const records = held.map(({ record }) => record);
  const state = await workshop.access.require(judged, version, visit, records);
  return serve(workshop, descriptor, { judged, lease: coming?.lease, fresh: state === "fresh" }, visit);
}

/** What nothing here leads to: a client that has the manifest from elsewhere, or from before this process began. */
async function findElsewhere(workshop: Workshop, repository: Repository, digest: Digest, visit: Visit) {
  const { judge, sources, access, pending, ground } = workshop;
  const { signal } = visit;
  const judged = await judge(repository, digest, signal);
  const told = await sources.ask(judged, visit, (from) =>
    ground.registry.blobSize(repository, digest, { ...from, signal }),
  );
  if (told.proof) access.grant(repository, visit.caller);
  else await access.require(judged, digest, visit, []);
  const descriptor = { mediaType: "application/octet-stream", digest, size: told.value };
  await pending.addLoose(repository, descriptor);
  const lease = pending.find(repository, digest)?.lease;
  return serve(workshop, descriptor, { judged, lease, fresh: true }, visit);
}

interface Ways {
  readonly held: readonly Holding[];
  readonly coming: Found | undefined;
}

/** Content may belong to several images of the repository: it is to be had if one of them is. */
async function judgeAny(
  { judge }: Workshop,
  repository: Repository,
  digest: Digest,
  { held, coming }: Ways,
  { signal }: Visit,
): Promise<{ judged: Judged; version: Tag | Digest }> {
  const versions = new Set([
    ...held.map(({ record }) => versionOf(record)),
    ...(coming === undefined ? [] : [coming.document?.descriptor.digest ?? digest]),
  ]);
  let refusal: unknown;
  for (const version of versions) {
    try {
      const judged = await judge(repository, version, signal, true);
      // The copy is what would be given out, whatever another one might be.
      if (judged.refusal !== undefined) throw new PulleyError("IMAGE_REFUSED", judged.refusal.message);
      return { judged, version };
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
  readonly fresh: boolean;
}

async function serve(
  workshop: Workshop,
  descriptor: Descriptor,
  { judged, lease, fresh }: Allowed,
  visit: Visit,
): Promise<ServedBlob> {
  const { store } = workshop.ground;
  const own = await store.lease();
  let here: boolean;
  try {
    here = await (lease ?? own).has(descriptor);
  } finally {
    await own.release();
  }
  if (here) return { descriptor, cache: fresh ? "hit" : "stale", open: () => store.open(descriptor) };
  return { descriptor, cache: "miss", open: () => fetchBlob(workshop, descriptor, judged, lease, visit) };
}

/** Whoever asks meanwhile waits for the same download, and who breaks off and comes back finds what has been received. */
async function fetchBlob(
  { ground, sources, settler }: Workshop,
  descriptor: Descriptor,
  judged: Judged,
  lease: Lease | undefined,
  visit: Visit,
): Promise<AsyncIterable<Buffer>> {
  const { store, layers } = ground;
  const { signal } = visit;
  const fetch = async (report: (receiving: Receiving) => void) => {
    const own = await store.lease();
    try {
      await sources.ask(judged, visit, (from) => layers.bring(descriptor, from, own, { signal, report }));
      await lease?.has(descriptor);
    } finally {
      await own.release();
      settler.look(judged.reference.repository);
    }
  };
  return follow(descriptor, fetch, () => store.open(descriptor));
}
