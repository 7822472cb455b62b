/**
 * Manifests and indexes (image-spec `manifest.md`, `image-index.md`; docker `manifest-v2-2.md`), read so strictly that
 * no other program can read the same bytes as another image (CVE-2021-41190).
 */
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { type JsonCursor, readJson } from "../support/json-cursor.ts";
import { type Descriptor, readArtifactType, readDescriptor, readEntry, type Unusable } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { isImageConfigType, layerType, manifestKind, mediaTypeOf } from "./media-type.ts";

/** Bytes that a manifest or an index may have. */
export const manifestLimit = 4 * 1024 * 1024;

/** Entries of an index, layers of a manifest. */
const mostManifests = 1000;
const mostLayers = 512;

export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  /** From the lowest layer to the topmost; may be empty, and a layer may come twice. */
  readonly layers: readonly Descriptor[];
  /** What an artifact says that it is. */
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export interface Index {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  /** Entries that are passed over unless the one that is wanted is among them. */
  readonly unusable: readonly Unusable[];
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a manifest or an index.
 * @param mediaType what the bytes came as: a `Content-Type`, or the media type of the descriptor that led here
 * @throws PulleyError `MANIFEST_INVALID` with the place, `MANIFEST_UNSUPPORTED` for schema 1, `TOO_LARGE`
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest | Index {
  const type = mediaTypeOf(mediaType);
  const kind = manifestKind(type);
  if (kind === "schema1") throw schema1();
  const name = kind ?? "manifest";
  const root = readJson(bytes, { name, code: "MANIFEST_INVALID", limit: manifestLimit });
  const field = root.object(...documentKeys);
  checkVersion(field("schemaVersion"));
  if (kind === undefined) throw root.failure(`came as ${quote(type.slice(0, 200))}, which is no type of a manifest`);
  checkMediaType(field("mediaType"), type);
  const common = { mediaType: type, ...readAttachment(field) };
  if (kind === "index") {
    refuseKeys(root, field, "config", "layers", "fsLayers");
    const entries = field("manifests").list(mostManifests).map(readEntry);
    const manifests = entries.filter((entry) => entry.kind === "usable").map(({ descriptor }) => descriptor);
    const unusable = entries.filter((entry) => entry.kind === "unusable");
    checkSizes(root, manifests);
    return { kind, ...common, manifests, unusable };
  }
  refuseKeys(root, field, "manifests", "fsLayers");
  const config = readDescriptor(field("config"));
  // Go writes null for a list without elements, and some builders nothing.
  const layers = (field("layers").optional((here) => here.list(mostLayers)) ?? []).map(readDescriptor);
  checkSizes(root, [config, ...layers]);
  return { kind, ...common, config, layers };
}

/** The config of artifacts that have none (image-spec `manifest.md`). */
const emptyType = "application/vnd.oci.empty.v1+json";

/**
 * That a manifest may be a container image's, and not an artifact's that registries keep in the same form. Its config and
 * its layers tell; what it calls itself besides, an `artifactType`, does not: there are images that have one. Where the
 * config has a type of its own, only its content tells: see `readImageConfig`.
 * @throws PulleyError `NOT_AN_IMAGE`, `MANIFEST_INVALID`
 */
export function requireImage(manifest: Manifest): Manifest {
  const { config, layers, artifactType } = manifest;
  const mayBeImage = layers.length > 0 && artifactType === undefined && config.mediaType !== emptyType;
  if (!isImageConfigType(config.mediaType) && !mayBeImage) {
    if (artifactType !== undefined && artifactType !== config.mediaType) {
      throw new PulleyError("NOT_AN_IMAGE", `manifest.artifactType: ${quote(artifactType)} is not a container image`);
    }
    throw new PulleyError("NOT_AN_IMAGE", `manifest.config: ${quote(config.mediaType)} is not a container image's`);
  }
  for (const [position, layer] of layers.entries()) {
    const at = `manifest.layers[${position}]`;
    if (layerType(layer.mediaType) === undefined) {
      throw new PulleyError("NOT_AN_IMAGE", `${at}: ${quote(layer.mediaType)} is not a layer of a container image`);
    }
    if (layer.digest === config.digest) throw new PulleyError("MANIFEST_INVALID", `${at}: is the config as well`);
  }
  return manifest;
}

const documentKeys = [
  ...(["schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers"] as const),
  ...(["artifactType", "subject", "annotations"] as const),
] as const;

type Key = (typeof documentKeys)[number];
type Field = (key: Key) => JsonCursor;

function schema1(): PulleyError {
  return new PulleyError(
    "MANIFEST_UNSUPPORTED",
    "Docker schema 1 manifests are not supported: rebuild and push the image as schema 2 or OCI",
  );
}

/** Old registries send schema 1 under types that do not say so: the body does. Some builders leave the version out. */
function checkVersion(here: JsonCursor): void {
  const version = here.optional((place) => place.integer(0, Number.MAX_SAFE_INTEGER)) ?? 0;
  if (version === 1) throw schema1();
  if (version !== 0 && version !== 2) throw here.failure(`${version} is not a version that is known: it must be 2`);
}

/** docker's schema 2 requires the field, OCI recommends it; where it is, it must say what the sender says. */
function checkMediaType(here: JsonCursor, expected: string): void {
  const own = here.optional((place) => place.string()) || expected;
  if (own !== expected) throw here.failure(`says ${quote(own.slice(0, 200))}, but it came as ${quote(expected)}`);
}

function refuseKeys(root: JsonCursor, field: Field, ...keys: readonly Key[]): void {
  for (const key of keys) {
    if (field(key).written) throw root.failure(`has ${quote(key)}, which belongs to another kind of document`);
  }
}

function readAttachment(field: Field): Pick<Manifest, "artifactType" | "subject" | "annotations"> {
  return {
    artifactType: field("artifactType").optional(readArtifactType),
    subject: field("subject").optional(readSubject),
    annotations: field("annotations").optional((here) => here.strings()),
  };
}

/** A subject that cannot be one is none: an image does not depend on it. */
function readSubject(here: JsonCursor): Descriptor | undefined {
  const subject = readEntry(here);
  return subject.kind === "usable" ? subject.descriptor : undefined;
}

/** Content may be listed twice, but it has one size. */
function checkSizes(root: JsonCursor, descriptors: readonly Descriptor[]): void {
  const sizes = new Map<Digest, number>();
  for (const { digest, size } of descriptors) {
    const before = sizes.get(digest) ?? size;
    if (before !== size) throw root.failure(`gives ${digest} two sizes, ${before} and ${size}`);
    sizes.set(digest, size);
  }
}
