/** One request, from its address to its answer. */
import type { IncomingMessage } from "node:http";
import { digestProblem, isDigest, isLoopback, parseDigest, parseTag, type Repository } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { type Answer, type Headers, jsonAnswer, jsonType } from "./answer.ts";
import { findBlob } from "./blobs.ts";
import { readCaller } from "./client-auth.ts";
import { etagOf, hasAlready, rangeHolds } from "./conditions.ts";
import type { Workshop } from "./context.ts";
import { answerToFailure, challenge, failureAnswer, noteFailure } from "./failures.ts";
import { findManifest } from "./manifests.ts";
import { readRange } from "./range.ts";
import { listReferrers } from "./referrers.ts";
import { repositoryOf } from "./repository.ts";
import type { Address, Route } from "./route.ts";
import { listTags } from "./tags.ts";
import type { Visit } from "./types.ts";
import { isOwn, isRelayed } from "./via-id.ts";

/** What the mirror itself is. */
export interface Standing {
  /** Where it listens. */
  readonly port: number;
  readonly registries: readonly string[] | undefined;
  /** Whether only this machine reaches it. */
  readonly local: boolean;
}

/** Content as the answer describes it. */
interface Asked {
  readonly request: IncomingMessage;
  readonly repository: Repository;
  readonly visit: Visit;
}

export async function answerTo(
  workshop: Workshop,
  standing: Standing,
  request: IncomingMessage,
  { route, query }: Address,
  signal: AbortSignal,
): Promise<Answer> {
  let repository: Repository | undefined;
  let visit: Visit | undefined;
  try {
    const refusal = refuseAtDoor(workshop, standing, request, route);
    if (refusal !== undefined) return refusal;
    if (route.kind === "base") return baseAnswer(request);
    if (route.kind === "unknown") return failureAnswer(404, "NAME_UNKNOWN", "no registry has such an address");
    const namespace = query.get("ns") ?? undefined;
    repository = repositoryOf(route.name, namespace);
    checkRegistry(repository, standing);
    visit = { caller: readCaller(request.headers.authorization), relayed: isRelayed(request.headers.via), signal };
    const answer = await answerRoute(workshop, route, query, { request, repository, visit });
    const scoped: Headers = namespace === undefined ? {} : { "oci-namespace": namespace };
    return { ...answer, headers: { ...answer.headers, ...scoped } };
  } catch (error) {
    noteFailure(workshop.ground.log, error, route);
    return answerToFailure(error, route, await mayKnow(workshop, repository, visit));
  }
}

/** What is refused before it is looked at: everything but reading, and a request that this mirror sent itself. */
function refuseAtDoor(
  { ground }: Workshop,
  { local }: Standing,
  { method, headers }: IncomingMessage,
  route: Route,
): Answer | undefined {
  if (method !== "GET" && method !== "HEAD") {
    return failureAnswer(405, "UNSUPPORTED", "this registry is for reading only", {
      allow: "GET, HEAD",
      connection: "close",
    });
  }
  // A page in a browser on this machine can be given a name that leads here; this is not the name that it would send.
  if (local && headers.host !== undefined && !isLoopback(headers.host)) {
    return failureAnswer(421, "DENIED", "this mirror is asked by its address on this machine only");
  }
  if (route.kind !== "base" && isOwn(headers.via, ground.pseudonym)) {
    return failureAnswer(508, "UNAVAILABLE", "this mirror has asked itself, by way of another");
  }
  return undefined;
}

function baseAnswer({ headers }: IncomingMessage): Answer {
  // To offer a login without asking for one is what lets skopeo send it where it is asked for (RFC 9110, section 11.6.1).
  const offered: Headers = headers.authorization === undefined ? { "www-authenticate": challenge } : {};
  return jsonAnswer(200, {}, { "content-type": jsonType, ...offered });
}

/** @throws PulleyError `REFERENCE_INVALID` for the mirror itself, `IMAGE_REFUSED` for a registry that it does not stand for */
function checkRegistry({ registry }: Repository, { port, registries }: Standing): void {
  if (isLoopback(registry) && registry.endsWith(`:${port}`)) {
    throw new PulleyError("REFERENCE_INVALID", `${registry} is this mirror itself, and no registry`);
  }
  if (registries !== undefined && !registries.includes(registry)) {
    throw new PulleyError("IMAGE_REFUSED", `this mirror does not stand for ${registry}`);
  }
}

function answerRoute(
  workshop: Workshop,
  route: Exclude<Route, { kind: "base" | "unknown" }>,
  query: URLSearchParams,
  asked: Asked,
): Promise<Answer> {
  const { repository, visit } = asked;
  switch (route.kind) {
    case "manifest":
      return manifestAnswer(workshop, route.version, asked);
    case "blob":
      return blobAnswer(workshop, route.digest, asked);
    case "tags":
      return listTags(workshop, repository, visit, { name: route.name, query });
    case "referrers":
      return listReferrers(workshop, repository, parseDigest(route.digest), visit, query.get("artifactType"));
  }
}

async function manifestAnswer(
  workshop: Workshop,
  text: string,
  { request, repository, visit }: Asked,
): Promise<Answer> {
  const version = text.includes(":") ? parseDigest(text) : tagOf(text);
  const { descriptor, cache, warning, read } = await findManifest(workshop, repository, version, visit);
  const { digest } = descriptor;
  const headers = {
    "docker-content-digest": digest,
    etag: etagOf(digest),
    ...(warning !== undefined && { warning: `299 - "${warning}"` }),
  };
  if (hasAlready(request.headers["if-none-match"], digest)) return { status: 304, headers, cache };
  const fetched = request.method === "HEAD" ? undefined : await read();
  const { mediaType, size } = fetched?.descriptor ?? descriptor;
  const described = { ...headers, "content-type": mediaType, "content-length": `${size}` };
  return { status: 200, headers: described, body: fetched?.bytes, cache };
}

/** A tag that none can be names nothing. */
function tagOf(text: string) {
  try {
    return parseTag(text);
  } catch {
    throw new PulleyError("IMAGE_NOT_FOUND", "that is neither a tag nor a digest");
  }
}

async function blobAnswer(workshop: Workshop, text: string, { request, repository, visit }: Asked): Promise<Answer> {
  const problem = digestProblem(text);
  if (problem !== undefined || !isDigest(text)) throw new PulleyError("DIGEST_INVALID", problem ?? "no digest");
  const { descriptor, cache, open } = await findBlob(workshop, repository, text, visit);
  const { digest, size } = descriptor;
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: etagOf(digest),
  };
  if (hasAlready(request.headers["if-none-match"], digest)) return { status: 304, headers, cache };
  const range =
    request.method === "GET" && rangeHolds(request.headersDistinct["if-range"]?.[0], digest)
      ? request.headers.range
      : undefined;
  const part = readRange(range, size);
  switch (part.kind) {
    case "whole":
      return { status: 200, headers: { ...headers, "content-length": `${size}` }, body: { open }, cache };
    case "unsatisfiable":
      return failureAnswer(416, "UNSUPPORTED", "no such part", { "content-range": `bytes */${size}` });
    case "part": {
      const { first, last } = part;
      const length = { "content-range": `bytes ${first}-${last}/${size}`, "content-length": `${last - first + 1}` };
      const body = { open: (coming: () => void) => open(coming, part) };
      return { status: 206, headers: { ...headers, ...length }, body, cache };
    }
  }
}

/** Whether a caller may know that there is such a repository here; it is not told apart from one that nobody has. */
async function mayKnow(
  { access, holdings, pending, ground }: Workshop,
  repository: Repository | undefined,
  visit: Visit | undefined,
): Promise<boolean> {
  if (repository === undefined || visit === undefined) return false;
  if (access.known(repository, visit.caller) === undefined) return false;
  if (pending.documents(repository).length > 0) return true;
  try {
    return (await holdings.records(repository)).length > 0;
  } catch (error) {
    noteFailure(ground.log, error, { kind: "unknown" });
    return false;
  }
}
