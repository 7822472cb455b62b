/** One request, from its URL to its response. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  digestProblem,
  isDigest,
  isLoopback,
  parseDigest,
  parseReference,
  parseTag,
  type Repository,
} from "../image/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { findBlob } from "./blobs.ts";
import { readClientAuth } from "./client-auth.ts";
import type { MirrorContext } from "./context.ts";
import { challenge, errorResponse, logFailure, responseToFailure } from "./error-responses.ts";
import { etagOf, hasAlready, rangeHolds, readRange } from "./http-ranges.ts";
import { findManifest } from "./manifests.ts";
import { listReferrers } from "./referrers.ts";
import { type Headers, jsonResponse, jsonType, type MirrorResponse } from "./response.ts";
import type { Address, Route } from "./route.ts";
import { listTags } from "./tags.ts";
import type { RequestContext } from "./types.ts";

/** Where the mirror listens, and which registries it serves. */
export interface ListenScope {
  /** The port that it listens on. */
  readonly port: number;
  readonly registries: readonly string[] | undefined;
  /** Whether only this machine can reach it. */
  readonly local: boolean;
}

/** A request for content of a repository. */
interface ContentRequest {
  readonly message: IncomingMessage;
  readonly repository: Repository;
  readonly request: RequestContext;
}

export async function handleRequest(
  context: MirrorContext,
  scope: ListenScope,
  message: IncomingMessage,
  { route, query }: Address,
  signal: AbortSignal,
): Promise<MirrorResponse> {
  let repository: Repository | undefined;
  let request: RequestContext | undefined;
  try {
    const refusal = refuseRequest(context, scope, message, route);
    if (refusal !== undefined) return refusal;
    if (route.kind === "base") return baseResponse(message);
    if (route.kind === "unknown") return errorResponse(404, "NAME_UNKNOWN", "no registry has such an address");
    const namespace = query.get("ns") ?? undefined;
    repository = repositoryOf(route.name, namespace);
    checkRegistry(repository, scope);
    request = { auth: readClientAuth(message.headers.authorization), relayed: isRelayed(message.headers.via), signal };
    const response = await routeRequest(context, route, query, { message, repository, request });
    const scoped: Headers = namespace === undefined ? {} : { "oci-namespace": namespace };
    return { ...response, headers: { ...response.headers, ...scoped } };
  } catch (error) {
    logFailure(context.deps.log, error, route);
    return responseToFailure(error, route, await mayKnowRepository(context, repository, request));
  }
}

/** Refuses everything but reading, foreign `Host` headers, and requests that this mirror sent itself. */
function refuseRequest(
  { deps }: MirrorContext,
  { local }: ListenScope,
  { method, headers }: IncomingMessage,
  route: Route,
): MirrorResponse | undefined {
  if (method !== "GET" && method !== "HEAD") {
    return errorResponse(405, "UNSUPPORTED", "this registry is for reading only", {
      allow: "GET, HEAD",
      connection: "close",
    });
  }
  // DNS rebinding: a web page may reach this address under a name of its own, and sends that name as the host.
  if (local && headers.host !== undefined && !isLoopback(headers.host)) {
    return errorResponse(421, "DENIED", "this mirror is asked by its address on this machine only");
  }
  if (route.kind !== "base" && isOwn(headers.via, deps.viaId)) {
    return errorResponse(508, "UNAVAILABLE", "this mirror has asked itself, by way of another");
  }
  return undefined;
}

function baseResponse({ headers }: IncomingMessage): MirrorResponse {
  // skopeo sends its login to a registry only if it was offered a challenge before (RFC 9110, section 11.6.1).
  const offered: Headers = headers.authorization === undefined ? { "www-authenticate": challenge } : {};
  return jsonResponse(200, {}, { "content-type": jsonType, ...offered });
}

/** @throws PulleyError `REFERENCE_INVALID` for the mirror itself, `IMAGE_REFUSED` for a registry that it does not serve */
function checkRegistry({ registry }: Repository, { port, registries }: ListenScope): void {
  if (isLoopback(registry) && registry.endsWith(`:${port}`)) {
    throw new PulleyError("REFERENCE_INVALID", `${registry} is this mirror itself, and no registry`);
  }
  if (registries !== undefined && !registries.includes(registry)) {
    throw new PulleyError("IMAGE_REFUSED", `this mirror does not serve ${registry}`);
  }
}

function routeRequest(
  context: MirrorContext,
  route: Exclude<Route, { kind: "base" | "unknown" }>,
  query: URLSearchParams,
  asked: ContentRequest,
): Promise<MirrorResponse> {
  const { repository, request } = asked;
  switch (route.kind) {
    case "manifest":
      return manifestResponse(context, route.version, asked);
    case "blob":
      return blobResponse(context, route.digest, asked);
    case "tags":
      return listTags(context, repository, request, { name: route.name, query });
    case "referrers":
      return listReferrers(context, repository, parseDigest(route.digest), request, query.get("artifactType"));
  }
}

async function manifestResponse(
  context: MirrorContext,
  text: string,
  { message, repository, request }: ContentRequest,
): Promise<MirrorResponse> {
  const version = text.includes(":") ? parseDigest(text) : tagOf(text);
  const { descriptor, cache, warning, read } = await findManifest(context, repository, version, request);
  const { digest } = descriptor;
  const headers = {
    "docker-content-digest": digest,
    etag: etagOf(digest),
    ...(warning !== undefined && { warning: `299 - "${warning}"` }),
  };
  if (hasAlready(message.headers["if-none-match"], digest)) return { status: 304, headers, cache };
  const fetched = message.method === "HEAD" ? undefined : await read();
  const { mediaType, size } = fetched?.descriptor ?? descriptor;
  const described = { ...headers, "content-type": mediaType, "content-length": `${size}` };
  return { status: 200, headers: described, body: fetched?.bytes, cache };
}

/** @throws PulleyError `IMAGE_NOT_FOUND` if the text can be no tag */
function tagOf(text: string) {
  try {
    return parseTag(text);
  } catch {
    throw new PulleyError("IMAGE_NOT_FOUND", "that is neither a tag nor a digest");
  }
}

async function blobResponse(
  context: MirrorContext,
  text: string,
  { message, repository, request }: ContentRequest,
): Promise<MirrorResponse> {
  const problem = digestProblem(text);
  if (problem !== undefined || !isDigest(text)) throw new PulleyError("DIGEST_INVALID", problem ?? "no digest");
  const { descriptor, cache, open } = await findBlob(context, repository, text, request);
  const { digest, size } = descriptor;
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: etagOf(digest),
  };
  if (hasAlready(message.headers["if-none-match"], digest)) return { status: 304, headers, cache };
  const range =
    message.method === "GET" && rangeHolds(message.headersDistinct["if-range"]?.[0], digest)
      ? message.headers.range
      : undefined;
  const part = readRange(range, size);
  switch (part.kind) {
    case "whole":
      return { status: 200, headers: { ...headers, "content-length": `${size}` }, body: { open }, cache };
    case "unsatisfiable":
      return errorResponse(416, "UNSUPPORTED", "no such part", { "content-range": `bytes */${size}` });
    case "part": {
      const { first, last } = part;
      const length = { "content-range": `bytes ${first}-${last}/${size}`, "content-length": `${last - first + 1}` };
      const body = { open: (coming: () => void) => open(coming, part) };
      return { status: 206, headers: { ...headers, ...length }, body, cache };
    }
  }
}

/** Whether a client may know that the repository is here. Otherwise the answer is the same as for one that is not. */
async function mayKnowRepository(
  { access, stored, incomplete, deps }: MirrorContext,
  repository: Repository | undefined,
  request: RequestContext | undefined,
): Promise<boolean> {
  if (repository === undefined || request === undefined) return false;
  if (access.known(repository, request.auth) === undefined) return false;
  if (incomplete.documents(repository).length > 0) return true;
  try {
    return (await stored.records(repository)).length > 0;
  } catch (error) {
    logFailure(deps.log, error, { kind: "unknown" });
    return false;
  }
}

/** The name by which mirrors recognise each other's requests and their own (RFC 9110, section 7.6.3). */
const viaIdShape = /\bpulley-[0-9a-f]{16}\b/;

/** A new identifier for `Via`, for a mirror and its registry client. */
export function createViaId(): string {
  return `pulley-${randomBytes(8).toString("hex")}`;
}

/** Whether a request comes from a mirror. */
function isRelayed(via: string | undefined): boolean {
  return viaIdShape.test(via ?? "");
}

/** Whether a request comes from this very mirror. */
function isOwn(via: string | undefined, viaId: string): boolean {
  return (via ?? "").split(/[\s,]+/).includes(viaId);
}

// Which repository of which registry a request means.

/** Characters of a name (distribution-spec 1.1: clients limit host and name together to 255). */
const longestName = 255;

/**
 * The repository of a name in a URL. With `?ns=`, as containerd sends it to a mirror, the registry is
 * that one and the name is a path there. Without it, the name is what people write before a tag: a first part that is a
 * host names the registry (`docker.io/library/nginx`, `quay.io/acme/app`), and otherwise it is Docker Hub's. Clients do
 * not let a colon into a path; there a port is written after an underscore, `localhost_5000/app`, as in a folder of
 * containerd's hosts.
 * @param namespace the value of `ns`, `undefined` if there is none
 * @throws PulleyError `REFERENCE_INVALID`
 */
export function repositoryOf(name: string, namespace: string | undefined): Repository {
  const text = namespace === undefined ? withPort(name) : `${namespace}/${name}`;
  if (text.length > longestName) throw invalid(name, `has more than ${longestName} characters`);
  const { repository, tag, digest } = parse(text, name);
  if (tag !== undefined || digest !== undefined) throw invalid(name, "is not the name of a repository");
  if (namespace !== undefined && repository.registry !== normalisedHost(namespace)) {
    throw new PulleyError("REFERENCE_INVALID", `${quote(namespace.slice(0, longestName))} is not a registry's host`);
  }
  return repository;
}

function parse(text: string, name: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(text);
  } catch (error) {
    if (!isPulleyError(error)) throw error;
    throw invalid(name, `is not the name of a repository: ${error.message}`);
  }
}

function withPort(name: string): string {
  return name.replace(/^((?:[a-z0-9-]+\.)+[a-z0-9-]+|localhost)_([0-9]{1,5})\//, "$1:$2/");
}

function normalisedHost(namespace: string): string {
  return namespace === "index.docker.io" ? "docker.io" : namespace;
}

function invalid(name: string, why: string): PulleyError {
  return new PulleyError("REFERENCE_INVALID", `${quote(name.slice(0, longestName))} ${why}`);
}
