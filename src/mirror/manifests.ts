/** Manifests and indexes: what a name stands for now, and the document itself (distribution-spec 1.1, "Pulling manifests"). */
import type { Descriptor } from "../image/descriptor.ts";
import { type Digest, isDigest } from "../image/digest.ts";
import { manifestLimit } from "../image/manifest.ts";
import { canonicalText, type Repository, type Tag } from "../image/reference.ts";
import { withoutAnswer } from "../node/cached-copy.ts";
import { isGone } from "../node/content-sources.ts";
import type { Source } from "../node/fetch.ts";
import { isUnreachable } from "../node/pull-failure.ts";
import type { ImageRecord } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { CacheState } from "./answer.ts";
import type { Judged } from "./judging.ts";
import { checkRequirements } from "./requirements.ts";
import { flightKey } from "./sources.ts";
import type { Visit } from "./types.ts";
import { visitorPod } from "./visitor-pod.ts";
import type { Workshop } from "./workshop.ts";

/** A document that the caller may have. */
export interface Served {
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** What the client should know, for the header `Warning`. */
  readonly warning?: string;
  /** Its bytes; fetched first where they are not here. */
  read(): Promise<Buffer>;
}

/** @throws PulleyError any of the registry and store codes, `IMAGE_REFUSED` */
export function findManifest(
  workshop: Workshop,
  repository: Repository,
  version: Tag | Digest,
  visit: Visit,
): Promise<Served> {
  return isDigest(version)
    ? findByDigest(workshop, repository, version, visit)
    : findByTag(workshop, repository, version, visit);
}

async function findByTag(workshop: Workshop, repository: Repository, tag: Tag, visit: Visit): Promise<Served> {
  const { judge, ground, access, sources } = workshop;
  const judged = await judge(repository, tag, visit.signal);
  const record = await ground.store.record(canonicalText(judged.reference));
  if (judged.decision.action === "Use" && record !== undefined) {
    const state = await access.require(judged, tag, visit, [record]);
    return fromStore(workshop, record.target, state === "fresh" ? "hit" : "stale", judged, visit);
  }
  try {
    const told = await sources.ask(judged, visit, (from) => resolve(workshop, tag, from, visit));
    if (told.proof) access.grant(repository, visit.caller);
    else await access.require(judged, tag, visit, []);
    await checkRequirements(workshop, judged, told.value, told.from, visit);
    if (record?.target.digest !== told.value.digest) {
      workshop.pending.noteTag(repository, tag, told.value.digest);
      return throughStore(workshop, told.value, judged, visit);
    }
    await ground.store.confirm(canonicalText(judged.reference), ground.clock.now());
    return fromStore(workshop, told.value, "hit", judged, visit);
  } catch (error) {
    return staleOr(workshop, judged, record, visit, error);
  }
}

/** The copy on this machine, where nobody can be asked and the policy has it used; otherwise the failure. */
async function staleOr(
  workshop: Workshop,
  judged: Judged,
  record: ImageRecord | undefined,
  visit: Visit,
  error: unknown,
): Promise<Served> {
  visit.signal.throwIfAborted();
  if (record === undefined || !isUnreachable(error)) throw error;
  const { access } = workshop;
  const known = access.known(judged.reference.repository, visit.caller) !== undefined;
  if (!known && !(await access.recorded(record))) throw error;
  const { id, facts, refusal, decision, now } = judged;
  const [container] = visitorPod(canonicalText(judged.reference)).containers;
  const outcome = withoutAnswer({ container, record: () => undefined }, decision, { id, facts, refusal }, now)?.(error);
  if (outcome === undefined) throw error;
  if ("failure" in outcome) throw new PulleyError("IMAGE_REFUSED", outcome.failure.message);
  const warning = "no registry can be asked, so this is what it said last";
  return { ...fromStore(workshop, record.target, "stale", judged, visit), warning };
}

async function findByDigest(workshop: Workshop, repository: Repository, digest: Digest, visit: Visit): Promise<Served> {
  const { judge, access, sources, holdings, pending } = workshop;
  const held = await holdings.documents(repository, digest);
  const coming = pending.find(repository, digest);
  const [first] = held;
  const descriptor = first?.descriptor ?? coming?.descriptor;
  const judged = await judge(repository, digest, visit.signal, descriptor !== undefined);
  if (descriptor !== undefined) {
    const records = held.map(({ record }) => record);
    const state = await access.require(judged, digest, visit, records);
    const served = fromStore(workshop, descriptor, state === "fresh" ? "hit" : "stale", judged, visit);
    await checkRequirements(workshop, judged, descriptor, undefined, visit);
    // Whole, perhaps, and still without a name, because nobody could be asked for it.
    if (first === undefined) workshop.settler.look(repository);
    return served;
  }
  const told = await sources.ask(judged, visit, (from) => resolve(workshop, digest, from, visit));
  if (told.value.digest !== digest) {
    throw new PulleyError("DIGEST_MISMATCH", `${canonicalText(judged.reference)}: answered with ${told.value.digest}`);
  }
  if (told.proof) access.grant(repository, visit.caller);
  else await access.require(judged, digest, visit, []);
  await checkRequirements(workshop, judged, told.value, told.from, visit);
  return throughStore(workshop, told.value, judged, visit);
}

/** What a source says that a name stands for; asked once for all who ask the same with the same login. */
function resolve({ heads, ground }: Workshop, version: Tag | Digest, from: Source, { signal }: Visit) {
  const { repository, ...call } = from;
  const ask = (crew: { readonly signal: AbortSignal }) =>
    ground.registry.resolve({ repository, version }, { ...call, signal: crew.signal });
  return heads.join(flightKey(version, from), ask, { signal });
}

/** What a name here has, or what came through; fetched anew should it have gone, or turn out to be damaged. */
function fromStore(
  workshop: Workshop,
  descriptor: Descriptor,
  cache: CacheState,
  judged: Judged,
  visit: Visit,
): Served {
  const read = async () => {
    try {
      return await workshop.ground.store.read(descriptor.digest, manifestLimit);
    } catch (error) {
      if (!isGone(error)) throw error;
      return throughStore(workshop, descriptor, judged, visit).read();
    }
  };
  return { descriptor, cache, read };
}

function throughStore(workshop: Workshop, descriptor: Descriptor, judged: Judged, visit: Visit): Served {
  return {
    descriptor,
    cache: "miss",
    read: async () => {
      const fetch = (from: Source) => fetchDocument(workshop, descriptor, from, visit);
      const { value } = await workshop.sources.ask(judged, visit, fetch);
      // In the background: whoever asks for a document does not wait for what follows from it.
      workshop.settler.look(judged.reference.repository);
      return value;
    },
  };
}

/** Brings a document into the store, under the protection of what is pending, and reads it there. */
async function fetchDocument(
  { ground, documents, pending }: Workshop,
  descriptor: Descriptor,
  from: Source,
  { caller, signal }: Visit,
): Promise<Buffer> {
  const { store, registry } = ground;
  const { repository, ...call } = from;
  const version = descriptor.digest;
  const key = flightKey(version, from);
  let bytes: Buffer;
  try {
    bytes = await store.read(version, manifestLimit);
  } catch (error) {
    if (!isGone(error)) throw error;
    const work = async (crew: { readonly signal: AbortSignal }) => {
      const fetched = await registry.manifest({ repository, version }, { ...call, signal: crew.signal });
      await pending.add(repository, fetched, caller);
    };
    await documents.join(key, work, { signal });
    bytes = await store.read(version, manifestLimit);
  }
  await pending.add(repository, { descriptor, bytes }, caller);
  return bytes;
}
