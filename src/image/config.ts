/**
 * An image's own configuration (image-spec `config.md`, docker `image/spec/v1.2.md`), read as Go reads it where that can
 * do no harm. A field that Pulley reads may come once only: programs would differ in what they run.
 */
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { type JsonCursor, readJson } from "../support/json-cursor.ts";
import { readComponent, readDigest } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { Manifest } from "./manifest.ts";
import { isImageConfigType } from "./media-type.ts";
import { normalisePlatform, type Platform } from "./platform.ts";

/** Bytes that a config may have. */
export const configLimit = 4 * 1024 * 1024;

const mostLayers = 512;
const mostValues = 10_000;

export interface ImageConfig {
  /** As far as the image says: the system, or the processor, may be empty. */
  readonly platform: Platform;
  /** Milliseconds since the epoch. */
  readonly createdAt: number | undefined;
  /** Digests of the uncompressed layers, from the lowest to the topmost. */
  readonly diffIds: readonly Digest[];
  readonly config: ContainerConfig;
}

/** What containers of the image start with. */
export interface ContainerConfig {
  readonly user: string | undefined;
  /** `NAME=value` */
  readonly env: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly workingDir: string | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Paths in the container. */
  readonly volumes: readonly string[] | undefined;
  /** `8080/tcp` */
  readonly exposedPorts: readonly string[] | undefined;
  readonly stopSignal: string | undefined;
}

/** @throws PulleyError `MANIFEST_INVALID` with the place, `TOO_LARGE` */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const root = readJson(bytes, { name: "config", code: "MANIFEST_INVALID", limit: configLimit, asGo: true });
  const field = root.object("os", "architecture", "variant", "created", "rootfs", "config");
  return {
    platform: normalisePlatform({
      os: field("os").optional(readComponent) ?? "",
      architecture: field("architecture").optional(readComponent) ?? "",
      variant: field("variant").optional(readComponent) ?? "",
    }),
    createdAt: field("created").optional(readTime),
    diffIds: readDiffIds(field("rootfs")),
    config: readContainerConfig(field("config")),
  };
}

/**
 * The config of an image, which describes as many layers as its manifest lists. Builders have given it other types than an
 * image's: it is one if it reads as one.
 * @throws PulleyError `MANIFEST_INVALID`, `TOO_LARGE`; `NOT_AN_IMAGE` for a config of another type that does not
 */
export function readImageConfig(manifest: Manifest, bytes: Uint8Array): ImageConfig {
  try {
    const config = parseImageConfig(bytes);
    const [listed, described] = [manifest.layers.length, config.diffIds.length];
    if (listed === described) return config;
    const text = `config.rootfs.diff_ids: describes ${described} layers, but the manifest lists ${listed}`;
    throw new PulleyError("MANIFEST_INVALID", text);
  } catch (error) {
    const { mediaType } = manifest.config;
    if (isImageConfigType(mediaType) || !isPulleyError(error, "MANIFEST_INVALID")) throw error;
    const text = `manifest.config: ${quote(mediaType)} is not a container image's, and does not read as one (${error.message})`;
    throw new PulleyError("NOT_AN_IMAGE", text, { cause: error });
  }
}

/** A scratch image of docker's has no `diff_ids` at all. The type is nowhere looked at: there is but one. */
function readDiffIds(here: JsonCursor): readonly Digest[] {
  const field = here.objectOrEmpty("diff_ids");
  return field("diff_ids").optional((list) => list.list(mostLayers).map(readDigest)) ?? [];
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Go writes the year 1 for a time that is not known, others nothing; what is finer than a millisecond is left out. */
function readTime(here: JsonCursor): number | undefined {
  const text = here.string();
  if (text === "") return undefined;
  const time = rfc3339.test(text) ? Date.parse(text.replace(/(\.\d{3})\d+/, "$1")) : Number.NaN;
  if (Number.isNaN(time)) throw here.failure("must be a time as in RFC 3339");
  return text.startsWith("0001-01-01T00:00:00") ? undefined : time;
}

/** An absent `config` reads as an empty one. */
function readContainerConfig(here: JsonCursor): ContainerConfig {
  const field = here.objectOrEmpty(
    ...(["User", "Env", "Entrypoint", "Cmd", "WorkingDir"] as const),
    ...(["Labels", "Volumes", "ExposedPorts", "StopSignal"] as const),
  );
  return {
    user: field("User").optional(readText),
    env: field("Env").optional(readTexts),
    entrypoint: field("Entrypoint").optional(readTexts),
    cmd: field("Cmd").optional(readTexts),
    workingDir: field("WorkingDir").optional(readText),
    labels: field("Labels").optional((place) => place.strings()),
    volumes: field("Volumes").optional((place) => place.keys()),
    exposedPorts: field("ExposedPorts").optional((place) => place.keys()),
    stopSignal: field("StopSignal").optional(readText),
  };
}

function readText(here: JsonCursor): string {
  return here.string();
}

/** As in Go, `null` among them reads as an empty one. */
function readTexts(here: JsonCursor): readonly string[] {
  return here.list(mostValues).map((place) => place.optional(readText) ?? "");
}
