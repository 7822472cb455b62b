/** Manifests and indexes: what a name stands for, and the document itself (distribution-spec 1.1, "Pulling manifests"). */
import {
  acceptedManifests,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  isDigest,
  manifestKind,
  manifestLimit,
  mediaTypeOf,
  ociIndex,
  ociManifest,
  parseDigest,
  type Tag,
} from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { type JsonMembers, parseJson } from "../support/json.ts";
import { sha256Of, verify } from "../support/verifier.ts";
import { announcedLength, discard, readBody } from "./body.ts";
import { describeAsked, isHtml } from "./failure.ts";
import { type CallContext, type SessionRequest, sendWithRetry } from "./session.ts";
import type { HttpResponse } from "./transport.ts";
import type { Fetched } from "./types.ts";

/** What a name stands for now: one HEAD, and a GET only if that does not say. */
export async function resolveManifest(context: CallContext, version: Tag | Digest): Promise<Descriptor> {
  const request = requestFor("HEAD", version);
  const described = await sendWithRetry(context, request, isHeadAnswer, async (answer) => {
    await discard(answer);
    return answer.status === 200 ? describe(answer, version) : undefined;
  });
  return described ?? (await fetchManifest(context, version)).descriptor;
}

interface FetchedManifest extends Fetched {
  /** The sizes of its layers, as far as it has any; for a guess, not for a decision. */
  readonly layerSizes: readonly number[];
}

/** The document that a name stands for, verified against the digest if the name is one. */
export async function fetchManifest(context: CallContext, version: Tag | Digest): Promise<FetchedManifest> {
  const isOk = (status: number) => status === 200;
  return sendWithRetry(context, requestFor("GET", version), isOk, async (answer) => {
    refuseWebPage(answer);
    const bytes = await readBody(answer, manifestLimit, context);
    const digest = verifiedDigest(answer, bytes, version);
    refuseSchema1(answer, contentType(answer));
    const members = membersOf(answer, bytes);
    const mediaType = agreedType(answer, members);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes, layerSizes: layerSizes(members) };
  });
}

function requestFor(method: "GET" | "HEAD", version: Tag | Digest): SessionRequest {
  return { method, what: `manifests/${version}`, headers: { accept: acceptedManifests.join(", ") } };
}

/** Besides 200: what servers say that do not know HEAD, and what only the words of a GET's answer explain. */
const headAnswers: ReadonlySet<number> = new Set([200, 400, 403, 404, 405, 406]);

/** Some servers fail at a HEAD, and at nothing else; one that says when to come again is only busy. */
function isHeadAnswer(status: number, { headers }: HttpResponse): boolean {
  return headAnswers.has(status) || (status >= 500 && headers["retry-after"] === undefined);
}

/** What a HEAD says, if it says all of it and in one way only. */
function describe(answer: HttpResponse, version: Tag | Digest): Descriptor | undefined {
  refuseWebPage(answer);
  const mediaType = contentType(answer);
  refuseSchema1(answer, mediaType);
  const digests = answer.headers["docker-content-digest"] ?? [];
  const [digest = ""] = digests;
  const size = announcedLength(answer);
  if (size > manifestLimit) {
    throw new PulleyError(
      "TOO_LARGE",
      `${describeAsked(answer.asked)}: a manifest of ${size} bytes, at most ${manifestLimit}`,
    );
  }
  if (digests.length !== 1 || !isDigest(digest) || !(size > 0) || manifestKind(mediaType) === undefined)
    return undefined;
  if (isDigest(version) ? digest !== version : digestAlgorithm(digest) !== "sha256") return undefined;
  return { mediaType, digest, size };
}

/**
 * The body's digest in the algorithm of the name, or in sha256 under a tag. What the header says of the same algorithm
 * must hold too; of another algorithm it says nothing that anybody asked for.
 */
function verifiedDigest(answer: HttpResponse, bytes: Buffer, version: Tag | Digest): Digest {
  const digest = isDigest(version) ? version : parseDigest(sha256Of(bytes));
  const announced = answer.headers["docker-content-digest"]?.[0] ?? "";
  const size = bytes.length;
  try {
    verify({ digest, size }, bytes);
    if (isDigest(announced) && digestAlgorithm(announced) === digestAlgorithm(digest)) {
      verify({ digest: announced, size }, bytes);
    }
  } catch (error) {
    if (!(error instanceof PulleyError)) throw error;
    throw new PulleyError(error.code, `${describeAsked(answer.asked)}: ${error.message}`);
  }
  return digest;
}

function membersOf({ asked }: HttpResponse, bytes: Buffer): JsonMembers {
  const where = describeAsked(asked);
  const document = parseJson(bytes, { name: where, code: "MANIFEST_INVALID", limit: manifestLimit });
  if (!(document instanceof Map)) throw new PulleyError("MANIFEST_INVALID", `${where}: not a JSON object`);
  return document;
}

/**
 * The media type that header and body agree on: read as another type, the same bytes could mean another image
 * (CVE-2021-41190). A header that names no manifest type, as servers of plain files send it, leaves it to the body.
 */
function agreedType(answer: HttpResponse, members: JsonMembers): string {
  const where = describeAsked(answer.asked);
  const header = contentType(answer);
  if (members.get("schemaVersion") === 1) throw schema1(where);
  const own = members.get("mediaType");
  if (own !== undefined && typeof own !== "string") {
    throw new PulleyError("MANIFEST_INVALID", `${where}: mediaType is not a text`);
  }
  if (manifestKind(header) === undefined) return own || typeByShape(members, where);
  if (own && mediaTypeOf(own) !== header) {
    throw new PulleyError("MANIFEST_INVALID", `${where}: served as ${header}, but says it is ${printable(own, 100)}`);
  }
  return header;
}

function layerSizes(members: JsonMembers): readonly number[] {
  const layers = members.get("layers");
  if (!Array.isArray(layers)) return [];
  return layers.map((layer) => (layer instanceof Map ? Number(layer.get("size")) : 0));
}

function typeByShape(members: JsonMembers, where: string): string {
  const isIndex = members.has("manifests");
  const isManifest = members.has("config") || members.has("layers");
  if (isIndex !== isManifest) return isIndex ? ociIndex : ociManifest;
  throw new PulleyError("MANIFEST_INVALID", `${where}: neither header nor body say what the document is`);
}

function contentType({ headers }: HttpResponse): string {
  return mediaTypeOf(headers["content-type"]?.[0] ?? "");
}

function refuseWebPage(answer: HttpResponse): void {
  if (!isHtml(answer)) return;
  answer.body.destroy();
  throw new PulleyError("REGISTRY_PROTOCOL", `${describeAsked(answer.asked)}: a web page instead of a manifest`);
}

function refuseSchema1(answer: HttpResponse, mediaType: string): void {
  if (manifestKind(mediaType) === "schema1") throw schema1(describeAsked(answer.asked));
}

function schema1(where: string): PulleyError {
  return new PulleyError("MANIFEST_UNSUPPORTED", `${where}: Docker schema 1 manifests are not supported`);
}
