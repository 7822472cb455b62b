/** Manifests and indexes: what a name stands for now, and the document itself (distribution-spec 1.1, "Pulling manifests"). */
import {
  canonicalText,
  type Descriptor,
  type Digest,
  isDigest,
  manifestLimit,
  type Repository,
  type Tag,
} from "../image/index.ts";
import { warningText } from "../policy/index.ts";
import { isGone, isUnreachable, type Source, withoutAnswer } from "../pull/index.ts";
import type { Fetched } from "../registry/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import { requireAnswer } from "./access.ts";
import type { CacheState } from "./answer.ts";
import type { Judged } from "./authorize-pull.ts";
import type { Workshop } from "./context.ts";
import { checkRequirements } from "./requirements.ts";
import { flightKey } from "./sources.ts";
import type { Visit } from "./types.ts";
import { visitorPod } from "./visitor-pod.ts";

/** A document that the caller may have. */
export interface Served {
  /** As a registry describes it, perhaps wrongly, before it has come. */
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** What the client should know, for the header `Warning`. */
  readonly warning?: string;
  /** The document, verified; fetched first where it is not here. */
  read(): Promise<Fetched>;
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
  const outline = judge.outline(repository, tag);
  const name = canonicalText(outline.reference);
  const ask = (from: Source) => resolve(workshop, tag, from, visit);
  const records = async () => [(await ground.store.record(name)) ?? []].flat();
  const entry = await access.enter(outline, visit, { ask, records });
  const judged = await judge.image(repository, tag, visit.signal);
  const record = await ground.store.record(name);
  if (judged.decision.action === "Use" && record !== undefined) {
    return fromStore(workshop, record.target, entry.state === "fresh" ? "hit" : "stale", judged, visit);
  }
  try {
    if (entry.failure !== undefined) throw entry.failure;
    const told = entry.told ?? (await sources.ask(judged, visit, ask));
    access.grant(repository, visit.caller);
    await checkRequirements(workshop, judged, told.value, told.from, visit);
    if (record?.target.digest !== told.value.digest) {
      workshop.pending.noteTag(repository, tag, told.value.digest);
      return throughStore(workshop, told.value, judged, visit);
    }
    await ground.store.confirm(name, ground.clock.now());
    return fromStore(workshop, record.target, "hit", judged, visit);
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
  if ("refusal" in outcome) throw new PulleyError("IMAGE_REFUSED", outcome.refusal.message);
  const warning = "no registry can be asked, so this is what it said last";
  return { ...fromStore(workshop, record.target, "stale", judged, visit), warning };
}

async function findByDigest(workshop: Workshop, repository: Repository, digest: Digest, visit: Visit): Promise<Served> {
  const { judge, access, sources, holdings, pending } = workshop;
  const outline = judge.outline(repository, digest);
  const ask = async (from: Source) => {
    const told = await resolve(workshop, digest, from, visit);
    if (told.digest === digest) return told;
    throw new PulleyError("DIGEST_MISMATCH", `${canonicalText(outline.reference)}: answered with ${told.digest}`);
  };
  const records = async () => (await holdings.documents(repository, digest)).map(({ record }) => record);
  const entry = await access.enter(outline, visit, { ask, records });
  const [held] = await holdings.documents(repository, digest);
  const coming = pending.find(repository, digest)?.document?.descriptor;
  // What a document lists is not known to be one, nor that the repository has it.
  const descriptor = held?.descriptor ?? (coming?.digest === digest ? coming : undefined);
  const judged = await judge.image(repository, digest, visit.signal, descriptor !== undefined);
  requireAnswer(entry, judged);
  if (descriptor !== undefined) {
    await checkRequirements(workshop, judged, descriptor, undefined, visit);
    const served = fromStore(workshop, descriptor, entry.state === "fresh" ? "hit" : "stale", judged, visit);
    // Whole, perhaps, and still without a name, because nobody could be asked for it.
    if (held === undefined) workshop.settler.look(repository);
    return served;
  }
  const told = entry.told ?? (await sources.ask(judged, visit, ask));
  access.grant(repository, visit.caller);
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
      const bytes = await workshop.ground.store.read(descriptor.digest, manifestLimit);
      return { descriptor: { ...descriptor, size: bytes.length }, bytes };
    } catch (error) {
      if (!isGone(error)) throw error;
      return fetchFromAny(workshop, descriptor, judged, visit, "node");
    }
  };
  return { descriptor, cache, read, ...onTrial(workshop, judged) };
}

function throughStore(workshop: Workshop, descriptor: Descriptor, judged: Judged, visit: Visit): Served {
  const read = () => fetchFromAny(workshop, descriptor, judged, visit);
  return { descriptor, cache: "miss", read, ...onTrial(workshop, judged) };
}

/** A header has the rules' names alone: what else they say may not fit into one. */
function onTrial({ ground }: Workshop, judged: Judged): Pick<Served, "warning"> {
  const warnings = judged.warnings();
  for (const warning of warnings) ground.log.warn(warningText(warning));
  if (warnings.length === 0) return {};
  const rules = warnings.map(({ rule, reason }) => `${rule} would refuse it with ${reason}`);
  return { warning: `on trial: ${rules.join(", ")}` };
}

/** @param spending `node` for what the repository has shown before */
async function fetchFromAny(
  workshop: Workshop,
  { digest }: Descriptor,
  judged: Judged,
  visit: Visit,
  spending?: "node",
): Promise<Fetched> {
  const fetch = (from: Source) => fetchDocument(workshop, digest, from, visit);
  const { value } = await workshop.sources.ask(judged, visit, fetch, spending);
  // In the background: whoever asks for a document does not wait for what follows from it.
  workshop.settler.look(judged.reference.repository);
  return value;
}

/**
 * Brings a document into the store, under the protection of what is pending. What is here already is of no account, unless
 * the repository has shown it: who has only the digest does not get the document for it.
 */
async function fetchDocument(
  { ground, documents, pending }: Workshop,
  digest: Digest,
  from: Source,
  { caller, signal }: Visit,
): Promise<Fetched> {
  const { registry, proofs, store } = ground;
  const { repository, ...call } = from;
  const known = pending.find(repository, digest)?.document?.descriptor;
  if (known?.digest === digest) {
    // Somebody else who asked at the same time has brought it.
    const bytes = await store.read(digest, manifestLimit).catch(() => undefined);
    if (bytes !== undefined) return { descriptor: known, bytes };
  }
  const work = async (crew: { readonly signal: AbortSignal }) => {
    const fetched = await registry.manifest({ repository, version: digest }, { ...call, signal: crew.signal });
    await (await proofs.of(repository)).note(digest);
    await pending.add(repository, fetched, caller);
    return fetched;
  };
  const fetched = await documents.join(flightKey(digest, from), work, { signal });
  await pending.add(repository, fetched, caller);
  return fetched;
}
