/** Archives with whatever a test wants in them. */
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Header, type HeaderData, Pax } from "tar";
import { type DigestAlgorithm, ociConfig, ociIndex, ociLayer, ociManifest } from "../../image/index.ts";

export interface TarEntry extends HeaderData {
  readonly path: string;
  readonly content?: string | Buffer;
}

/** A tar of anything, also of what no sound program writes. */
export function tarOf(...entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ content = "", ...data }) => {
    const bytes = Buffer.from(content);
    const header = new Header({ type: "File", mode: 0o644, mtime: new Date(0), size: bytes.length, ...data });
    const extended = header.encode()
      ? new Pax({ path: data.path, ...(data.linkpath !== undefined && { linkpath: data.linkpath }) }).encode()
      : Buffer.alloc(0);
    return [extended, header.block ?? Buffer.alloc(512), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function digestOf(bytes: string | Buffer): string {
  return digestIn("sha256", bytes);
}

export function hexOf(bytes: string | Buffer): string {
  return digestOf(bytes).slice("sha256:".length);
}

export function digestIn(algorithm: DigestAlgorithm, bytes: string | Buffer): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

export interface SampleImage {
  /** Uncompressed. */
  readonly layers: readonly Buffer[];
  readonly config: Buffer;
  /** Of an OCI image whose layers are in gzip. */
  readonly manifest: Buffer;
  readonly compressed: readonly Buffer[];
}

export function sampleImage(name: string, architecture = "amd64"): SampleImage {
  const layers = ["lower", "upper"].map((part) => tarOf({ path: `${part}/${name}`, content: `${name} `.repeat(5000) }));
  return imageOf(layers, { architecture });
}

/** @param filler bytes of each layer that cannot be compressed */
export function largeImage(name: string, layers: number, filler: number): SampleImage {
  const content = () => Buffer.concat([Buffer.from(name), randomBytes(filler)]);
  return imageOf(Array.from({ length: layers }, (_, at) => tarOf({ path: `${name}/${at}`, content: content() })));
}

export function imageOf(
  layers: readonly Buffer[],
  { architecture = "amd64", algorithm = "sha256" }: { architecture?: string; algorithm?: DigestAlgorithm } = {},
): SampleImage {
  const compressed = layers.map((layer) => gzipSync(layer));
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture,
      created: "2026-01-02T03:04:05Z",
      config: { Cmd: ["/app"] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => digestIn(algorithm, layer)) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: describe(ociConfig, config, algorithm),
      layers: compressed.map((layer) => describe(`${ociLayer}+gzip`, layer, algorithm)),
    }),
  );
  return { layers, compressed, config, manifest };
}

export function describe(mediaType: string, bytes: Buffer, algorithm: DigestAlgorithm = "sha256") {
  return { mediaType, digest: digestIn(algorithm, bytes), size: bytes.length };
}

export function blob(bytes: Buffer): TarEntry {
  return blobIn("sha256", bytes);
}

export function blobIn(algorithm: DigestAlgorithm, bytes: Buffer): TarEntry {
  return { path: `blobs/${digestIn(algorithm, bytes).replace(":", "/")}`, content: bytes };
}

export function blobsOf({ manifest, config, compressed }: SampleImage, algorithm?: DigestAlgorithm): TarEntry[] {
  return [manifest, config, ...compressed].map((bytes) => blobIn(algorithm ?? "sha256", bytes));
}

export const layoutMarker: TarEntry = { path: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' };

export function layoutIndex(...manifests: readonly object[]): TarEntry {
  return { path: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests }) };
}

export function named(name: string): { annotations: Record<string, string> } {
  return { annotations: { "org.opencontainers.image.ref.name": name } };
}

export function ociTar(image: SampleImage, name: string): Buffer {
  return tarOf(
    layoutMarker,
    layoutIndex({ ...describe(ociManifest, image.manifest), ...named(name) }),
    ...blobsOf(image),
  );
}

/** An index of several images, as bytes. */
export function indexOf(...images: readonly (readonly [SampleImage, string])[]): Buffer {
  const manifests = images.map(([{ manifest }, architecture]) => ({
    ...describe(ociManifest, manifest),
    platform: { os: "linux", architecture },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
}

export function dockerList(...entries: readonly object[]): TarEntry {
  return { path: "manifest.json", content: JSON.stringify(entries) };
}

/** As `docker save` wrote it before version 25. */
export function dockerTar(image: SampleImage, tags: readonly string[] | null): Buffer {
  return tarOf(...dockerEntries(image, tags));
}

export function dockerEntries({ config, layers }: SampleImage, tags: readonly string[] | null): TarEntry[] {
  const paths = layers.map((layer) => `${hexOf(layer)}/layer.tar`);
  return [
    ...layers.map((content, position) => ({ path: paths[position] ?? "", content })),
    { path: `${hexOf(config)}.json`, content: config },
    dockerList({ Config: `${hexOf(config)}.json`, RepoTags: tags, Layers: paths }),
  ];
}
