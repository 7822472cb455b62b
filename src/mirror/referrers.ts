/** What refers to a manifest: signatures, lists of contents (distribution-spec 1.1, "Listing Referrers"). */
import {
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestHex,
  type Index,
  type Manifest,
  manifestLimit,
  ociIndex,
  parseManifest,
  parseTag,
  type Repository,
} from "../image/index.ts";
import { isGone, isUnreachable, type Source } from "../pull/index.ts";
import { isPulleyError } from "../support/errors.ts";
import type { MirrorContext } from "./context.ts";
import { findManifest } from "./manifests.ts";
import { type Headers, jsonResponse, type MirrorResponse } from "./response.ts";
import type { RequestContext } from "./types.ts";

/** Entries of one answer. */
const most = 1_000;

/**
 * Referrers in the store, and those listed under the fallback tag of registries without the endpoint.
 * Always a list, which may be empty.
 * @throws PulleyError if the caller may not know
 */
export async function listReferrers(
  context: MirrorContext,
  repository: Repository,
  subject: Digest,
  request: RequestContext,
  artifactType: string | null,
): Promise<MirrorResponse> {
  const may = await mayAsk(context, repository, subject, request);
  const listed = may ? await byTag(context, repository, subject, request) : [];
  const here = may ? await inStore(context, repository, subject, request) : [];
  const all = [...new Map([...here, ...listed].map((entry) => [entry.digest, entry])).values()];
  const wanted = artifactType === null ? all : all.filter((entry) => entry.artifactType === artifactType);
  const manifests = wanted.slice(0, most);
  const filters: Headers = artifactType === null ? {} : { "oci-filters-applied": "artifactType" };
  const headers = { "content-type": ociIndex, ...filters };
  return jsonResponse(200, { schemaVersion: 2, mediaType: ociIndex, manifests }, headers);
}

/** distribution-spec 1.1, "Referrers Tag Schema": algorithm and hexadecimal part, cut to 32 and 64 characters. */
function tagFor(subject: Digest) {
  return parseTag(`${digestAlgorithm(subject).slice(0, 32)}-${digestHex(subject).slice(0, 64)}`);
}

/** Whether the client has access to referrers of the subject. */
async function mayAsk(
  context: MirrorContext,
  repository: Repository,
  subject: Digest,
  request: RequestContext,
): Promise<boolean> {
  const { authorizer, access, stored, deps } = context;
  const version = tagFor(subject);
  const ask = ({ repository: asked, ...call }: Source) =>
    deps.registry.resolve({ repository: asked, version }, { ...call, signal: request.signal });
  const records = () => stored.records(repository);
  try {
    await access.authorize(authorizer.outline(repository, version), request, { ask, records });
    return true;
  } catch (error) {
    if (isNothing(error)) return false;
    throw error;
  }
}

/** Whether a failure means an empty list. */
function isNothing(error: unknown): boolean {
  if (isPulleyError(error, "REGISTRY_NOT_FOUND", "IMAGE_NOT_FOUND", "IMAGE_REFUSED", "MANIFEST_INVALID")) return true;
  return isUnreachable(error) || isGone(error);
}

async function byTag(
  context: MirrorContext,
  repository: Repository,
  subject: Digest,
  request: RequestContext,
): Promise<readonly Descriptor[]> {
  try {
    const { read } = await findManifest(context, repository, tagFor(subject), request);
    const { descriptor, bytes } = await read();
    const document = parseManifest(bytes, descriptor.mediaType);
    return document.kind === "index" ? document.manifests.map(plainDescriptor) : [];
  } catch (error) {
    if (isNothing(error)) return [];
    throw error;
  }
}

/** Referrers in the store that the client may see. */
async function inStore(
  { stored, incomplete, access, deps }: MirrorContext,
  repository: Repository,
  subject: Digest,
  { auth: caller }: RequestContext,
): Promise<readonly Descriptor[]> {
  const known = access.known(repository, caller) !== undefined;
  const found: Descriptor[] = [];
  const note = (descriptor: Descriptor, document: Manifest | Index) => {
    if (document.subject?.digest === subject) found.push(described(descriptor, document));
  };
  for (const { descriptor, document } of known ? incomplete.documents(repository) : []) note(descriptor, document);
  for (const record of await stored.records(repository)) {
    if (!known && !(await access.recorded(record))) continue;
    for (const descriptor of new Map([record.target, record.manifest].map((one) => [one.digest, one])).values()) {
      const bytes = await deps.store.read(descriptor.digest, manifestLimit).catch(() => undefined);
      if (bytes !== undefined) note(descriptor, parseManifest(bytes, descriptor.mediaType));
    }
  }
  return found;
}

/** The artifact's type is the manifest's own, or that of its config; its annotations are given too. */
function described({ mediaType, digest, size }: Descriptor, document: Manifest | Index): Descriptor {
  const fallback = document.kind === "manifest" ? document.config.mediaType : undefined;
  const artifactType = document.artifactType ?? fallback;
  return plainDescriptor({
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(document.annotations !== undefined && { annotations: document.annotations }),
  });
}

function plainDescriptor({ mediaType, digest, size, artifactType, annotations }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}
