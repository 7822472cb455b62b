/** Manifests and indexes: resolves names, and serves the documents (distribution-spec 1.1, "Pulling manifests"). */
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
import { requireCachedUse } from "./access.ts";
import { type AuthorizedPull, mirrorPod } from "./authorize-pull.ts";
import type { MirrorContext } from "./context.ts";
import { checkRequirements } from "./requirements.ts";
import type { CacheState } from "./response.ts";
import { flightKey } from "./sources.ts";
import type { RequestContext } from "./types.ts";

/** A document that the client may have. */
export interface FoundManifest {
  /** As a registry describes it, perhaps wrongly, before it has come. */
  readonly descriptor: Descriptor;
  readonly cache: CacheState;
  /** Text of the header `Warning`. */
  readonly warning?: string;
  /** The document, verified; fetched first where it is not here. */
  read(): Promise<Fetched>;
}

/** @throws PulleyError any of the registry and store codes, `IMAGE_REFUSED` */
export function findManifest(
  context: MirrorContext,
  repository: Repository,
  version: Tag | Digest,
  request: RequestContext,
): Promise<FoundManifest> {
  return isDigest(version)
    ? findByDigest(context, repository, version, request)
    : findByTag(context, repository, version, request);
}

async function findByTag(
  context: MirrorContext,
  repository: Repository,
  tag: Tag,
  request: RequestContext,
): Promise<FoundManifest> {
  const { authorizer, deps, access, sources } = context;
  const outline = authorizer.outline(repository, tag);
  const name = canonicalText(outline.reference);
  const ask = (from: Source) => resolve(context, tag, from, request);
  const records = async () => [(await deps.store.record(name)) ?? []].flat();
  const entry = await access.authorize(outline, request, { ask, records });
  const authorized = await authorizer.image(repository, tag, request.signal);
  const record = await deps.store.record(name);
  if (authorized.decision.action === "Use" && record !== undefined) {
    return fromStore(context, record.target, entry.state === "fresh" ? "hit" : "stale", authorized, request);
  }
  try {
    if (entry.failure !== undefined) throw entry.failure;
    const told = entry.answer ?? (await sources.ask(authorized, request, ask));
    access.grant(repository, request.auth);
    await checkRequirements(context, authorized, told.value, told.from, request);
    if (record?.target.digest !== told.value.digest) {
      context.incomplete.noteTag(repository, tag, told.value.digest);
      return throughStore(context, told.value, authorized, request);
    }
    await deps.store.confirm(name, deps.clock.now());
    return fromStore(context, record.target, "hit", authorized, request);
  } catch (error) {
    return staleOr(context, authorized, record, request, error);
  }
}

/** The copy on this machine, where no registry can be asked and the policy allows its use; otherwise throws the failure. */
async function staleOr(
  context: MirrorContext,
  authorized: AuthorizedPull,
  record: ImageRecord | undefined,
  request: RequestContext,
  error: unknown,
): Promise<FoundManifest> {
  request.signal.throwIfAborted();
  if (record === undefined || !isUnreachable(error)) throw error;
  const { access } = context;
  const known = access.known(authorized.reference.repository, request.auth) !== undefined;
  if (!known && !(await access.recorded(record))) throw error;
  const { id, facts, refusal, decision, now } = authorized;
  const [container] = mirrorPod(authorized.reference).containers;
  const outcome = withoutAnswer({ container, record: () => undefined }, decision, { id, facts, refusal }, now)?.(error);
  if (outcome === undefined) throw error;
  if ("refusal" in outcome) throw new PulleyError("IMAGE_REFUSED", outcome.refusal.message);
  const warning = "no registry can be asked, so this is what it said last";
  return { ...fromStore(context, record.target, "stale", authorized, request), warning };
}

async function findByDigest(
  context: MirrorContext,
  repository: Repository,
  digest: Digest,
  request: RequestContext,
): Promise<FoundManifest> {
  const { authorizer, access, sources, stored, incomplete } = context;
  const outline = authorizer.outline(repository, digest);
  const ask = async (from: Source) => {
    const told = await resolve(context, digest, from, request);
    if (told.digest === digest) return told;
    throw new PulleyError("DIGEST_MISMATCH", `${canonicalText(outline.reference)}: answered with ${told.digest}`);
  };
  const records = async () => (await stored.documents(repository, digest)).map(({ record }) => record);
  const entry = await access.authorize(outline, request, { ask, records });
  const [held] = await stored.documents(repository, digest);
  const coming = incomplete.find(repository, digest)?.document?.descriptor;
  // What a document lists is not known to be one, nor that the repository has it.
  const descriptor = held?.descriptor ?? (coming?.digest === digest ? coming : undefined);
  const authorized = await authorizer.image(repository, digest, request.signal, descriptor !== undefined);
  requireCachedUse(entry, authorized);
  if (descriptor !== undefined) {
    await checkRequirements(context, authorized, descriptor, undefined, request);
    const served = fromStore(context, descriptor, entry.state === "fresh" ? "hit" : "stale", authorized, request);
    // It may be complete and still without a name, because no registry could be asked.
    if (held === undefined) context.completion.check(repository);
    return served;
  }
  const told = entry.answer ?? (await sources.ask(authorized, request, ask));
  access.grant(repository, request.auth);
  await checkRequirements(context, authorized, told.value, told.from, request);
  return throughStore(context, told.value, authorized, request);
}

/** Resolves a name at a source. Requests for the same with the same login share one call. */
function resolve({ heads, deps }: MirrorContext, version: Tag | Digest, from: Source, { signal }: RequestContext) {
  const { repository, ...call } = from;
  const ask = (task: { readonly signal: AbortSignal }) =>
    deps.registry.resolve({ repository, version }, { ...call, signal: task.signal });
  return heads.join(flightKey(version, from), ask, { signal });
}

/** What a name here has, or what came through; fetched anew should it have gone, or turn out to be damaged. */
function fromStore(
  context: MirrorContext,
  descriptor: Descriptor,
  cache: CacheState,
  authorized: AuthorizedPull,
  request: RequestContext,
): FoundManifest {
  const read = async () => {
    try {
      const bytes = await context.deps.store.read(descriptor.digest, manifestLimit);
      return { descriptor: { ...descriptor, size: bytes.length }, bytes };
    } catch (error) {
      if (!isGone(error)) throw error;
      return fetchFromAny(context, descriptor, authorized, request, "node");
    }
  };
  return { descriptor, cache, read, ...onTrial(context, authorized) };
}

function throughStore(
  context: MirrorContext,
  descriptor: Descriptor,
  authorized: AuthorizedPull,
  request: RequestContext,
): FoundManifest {
  const read = () => fetchFromAny(context, descriptor, authorized, request);
  return { descriptor, cache: "miss", read, ...onTrial(context, authorized) };
}

/** A header has the rules' names alone: what else they say may not fit into one. */
function onTrial({ deps }: MirrorContext, authorized: AuthorizedPull): Pick<FoundManifest, "warning"> {
  const warnings = authorized.warnings();
  for (const warning of warnings) deps.log.warn(warningText(warning));
  if (warnings.length === 0) return {};
  const rules = warnings.map(({ rule, reason }) => `${rule} would refuse it with ${reason}`);
  return { warning: `on trial: ${rules.join(", ")}` };
}

/** @param spending `node` for what the repository has shown before */
async function fetchFromAny(
  context: MirrorContext,
  { digest }: Descriptor,
  authorized: AuthorizedPull,
  request: RequestContext,
  spending?: "node",
): Promise<Fetched> {
  const fetch = (from: Source) => fetchDocument(context, digest, from, request);
  const { value } = await context.sources.ask(authorized, request, fetch, spending);
  // In the background: the response does not wait for it.
  context.completion.check(authorized.reference.repository);
  return value;
}

/**
 * Brings a document into the store, under the protection of what is pending. What is here already is of no account, unless
 * the repository has shown it: who has only the digest does not get the document for it.
 */
async function fetchDocument(
  { deps, documents, incomplete }: MirrorContext,
  digest: Digest,
  from: Source,
  { auth: caller, signal }: RequestContext,
): Promise<Fetched> {
  const { registry, proofs, store } = deps;
  const { repository, ...call } = from;
  const known = incomplete.find(repository, digest)?.document?.descriptor;
  if (known?.digest === digest) {
    // Another request has fetched it meanwhile.
    const bytes = await store.read(digest, manifestLimit).catch(() => undefined);
    if (bytes !== undefined) return { descriptor: known, bytes };
  }
  const work = async (task: { readonly signal: AbortSignal }) => {
    const fetched = await registry.manifest({ repository, version: digest }, { ...call, signal: task.signal });
    await (await proofs.of(repository)).note(digest);
    await incomplete.add(repository, fetched, caller);
    return fetched;
  };
  const fetched = await documents.join(flightKey(digest, from), work, { signal });
  await incomplete.add(repository, fetched, caller);
  return fetched;
}
