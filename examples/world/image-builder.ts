/** Builds small container images without any tool. The same specification gives the same bytes, every time. */
import { createCipheriv, createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Header } from "tar";
import { type Descriptor, type Digest, parseDigest } from "../../src/image/index.ts";

const gzipped = promisify(gzip);

export interface ImageSpec {
  readonly layers: readonly LayerSpec[];
  /** `linux/amd64`, `linux/arm64`, `linux/arm/v7`. More than one, and the image is an index. Default: `linux/amd64`. */
  readonly platforms?: readonly string[];
  /** OCI image-spec, or Docker's image manifest version 2, schema 2. Default: `oci`. */
  readonly format?: "oci" | "docker";
  /** Layers as tar, or as gzip of tar. Default: `gzip`. */
  readonly compression?: "gzip" | "none";
  /** Makes an index, even of a single platform. */
  readonly index?: boolean;
  /** The `config` section of the image's config: `Env`, `Cmd`, `Labels`, `User`, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Lets the fillers differ from those of another image. */
  readonly seed?: string;
}

export interface LayerSpec {
  /** Contents by path, `etc/motd`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Bytes of a file that no compression makes smaller, for layers of a certain size. */
  readonly filler?: number;
}

export interface BuiltImage {
  /** What a tag points to: an index or a manifest. */
  readonly target: Descriptor;
  /** The manifest of each platform, in the order of the specification. */
  readonly manifests: readonly BuiltManifest[];
  /** Everything that the image consists of, by digest. */
  readonly content: ReadonlyMap<Digest, BuiltContent>;
}

export interface BuiltManifest {
  readonly descriptor: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface BuiltContent {
  readonly kind: "manifest" | "blob";
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

interface BuiltLayer {
  readonly content: BuiltContent;
  /** Digest of the tar before compression. */
  readonly diffId: Digest;
}

const mediaTypes = {
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    none: "application/vnd.oci.image.layer.v1.tar",
    gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    none: "application/vnd.docker.image.rootfs.diff.tar",
    gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
} as const;

export async function buildImage(spec: ImageSpec): Promise<BuiltImage> {
  const platforms = spec.platforms ?? ["linux/amd64"];
  const content = new Map<Digest, BuiltContent>();
  const layers = await Promise.all(spec.layers.map((layer, position) => buildLayer(spec, layer, position)));
  const manifests = platforms.map((platform) => buildManifest(spec, platform, layers, content));
  const [only] = manifests;
  const isIndex = spec.index ?? platforms.length > 1;
  const target = only !== undefined && !isIndex ? only.descriptor : buildIndex(spec, platforms, manifests, content);
  return { target, manifests, content };
}

/** The digest of some bytes. */
export function digestOf(bytes: Uint8Array | string, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`);
}

/** Bytes that look random and are always the same for the same seed. */
export function filler(length: number, seed: string): Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A tar archive of regular files, without times or owners. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, text]) => {
    const bytes = Buffer.from(text);
    const header = new Header({
      path,
      size: bytes.length,
      mode: 0o644,
      type: "File",
      mtime: new Date(0),
      uid: 0,
      gid: 0,
    });
    const block = Buffer.alloc(512);
    if (header.encode(block)) throw new Error(`${path} does not fit into a plain tar header`);
    return [block, bytes, Buffer.alloc(-bytes.length & 511)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function buildLayer(spec: ImageSpec, layer: LayerSpec, position: number): Promise<BuiltLayer> {
  const compression = spec.compression ?? "gzip";
  const files: Record<string, string | Uint8Array> = { ...layer.files };
  if (layer.filler !== undefined) {
    files[`var/filler-${position}`] = filler(layer.filler, `${spec.seed ?? ""} ${position}`);
  }
  const tar = tarOf(files);
  // What cannot be made smaller is only wrapped: the image is ready sooner.
  const level = layer.filler === undefined ? 6 : 0;
  const bytes = compression === "none" ? tar : await gzipped(tar, { level });
  const mediaType = mediaTypes[spec.format ?? "oci"][compression];
  return { content: contentOf("blob", mediaType, bytes), diffId: digestOf(tar) };
}

function buildManifest(
  spec: ImageSpec,
  platform: string,
  layers: readonly BuiltLayer[],
  content: Map<Digest, BuiltContent>,
): BuiltManifest {
  const types = mediaTypes[spec.format ?? "oci"];
  const config = jsonContent("blob", types.config, {
    ...platformOf(platform),
    created: "2026-01-01T00:00:00Z",
    config: spec.config ?? {},
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, position) => ({ created_by: `layer ${position}` })),
  });
  const manifest = jsonContent("manifest", types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: layers.map((layer) => layer.content.descriptor),
  });
  for (const each of [...layers.map((layer) => layer.content), config, manifest]) {
    content.set(each.descriptor.digest, each);
  }
  return {
    descriptor: manifest.descriptor,
    config: config.descriptor,
    layers: layers.map((layer) => layer.content.descriptor),
  };
}

function buildIndex(
  spec: ImageSpec,
  platforms: readonly string[],
  manifests: readonly BuiltManifest[],
  content: Map<Digest, BuiltContent>,
): Descriptor {
  const { index } = mediaTypes[spec.format ?? "oci"];
  const entries = manifests.map(({ descriptor }, position) => ({
    ...descriptor,
    platform: platformOf(platforms[position] ?? ""),
  }));
  const built = jsonContent("manifest", index, { schemaVersion: 2, mediaType: index, manifests: entries });
  content.set(built.descriptor.digest, built);
  return built.descriptor;
}

function platformOf(text: string): Record<string, string> {
  const [os = "", architecture = "", variant] = text.split("/");
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

function jsonContent(kind: BuiltContent["kind"], mediaType: string, value: unknown): BuiltContent {
  return contentOf(kind, mediaType, Buffer.from(JSON.stringify(value, null, 2)));
}

/** Content under the digest that it has. */
export function contentOf(kind: BuiltContent["kind"], mediaType: string, bytes: Buffer): BuiltContent {
  return { kind, bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}
