/** Reads images from an OCI image layout (image-spec `image-layout.md`), in a tar or a folder. */
import {
  completePlatform,
  configLimit,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestHex,
  type Index,
  isRunnable,
  type Manifest,
  manifestKind,
  manifestLimit,
  ociIndex,
  type Platform,
  parseManifest,
  readImageConfig,
  requireImage,
  selectManifest,
} from "../../image/index.ts";
import { quote } from "../../support/go.ts";
import { readJson } from "../../support/json-cursor.ts";
import { verify } from "../../support/verifier.ts";
import { type ArchiveDocument, type ArchiveImage, readName } from "./archive-image.ts";
import { type ArchiveFile, type ArchiveSource, invalid, readSmall, requireFile } from "./source.ts";

/** Indexes within one another, below that of the layout. */
const deepest = 2;

/** @throws PulleyError `ARCHIVE_INVALID` */
export async function readLayout(source: ArchiveSource): Promise<Index> {
  const marker = await requireFile(source, "oci-layout", "the format");
  const rules = { name: "oci-layout", code: "ARCHIVE_INVALID", limit: 4096 } as const;
  const version = readJson(await readSmall(marker, rules.limit), rules).object("imageLayoutVersion")(
    "imageLayoutVersion",
  );
  if (version.string() !== "1.0.0") throw version.failure("must be 1.0.0");
  const file = await requireFile(source, "index.json", "the format");
  const index = parseManifest(await readSmall(file, manifestLimit), ociIndex);
  if (index.kind !== "index") throw invalid("index.json is not an index");
  return index;
}

/** Whether everything that a layout's index lists is there: docker has written archives of which only the other half is. */
export async function isWhole(source: ArchiveSource, layout: Index): Promise<boolean> {
  const images = layout.manifests.filter(isRunnable);
  const files = await Promise.all(images.map(({ digest }) => source.find(blobPath(digest))));
  return files.length > 0 && files.every((file) => file !== undefined);
}

/**
 * The images of a layout for a platform. Entries with the same name are one image for several platforms; a manifest
 * that stands alone is taken for whatever platform it is.
 * @throws PulleyError what is wrong with the archive, or `NOT_AN_IMAGE`, `PLATFORM_MISSING`
 */
export async function readOciImages(source: ArchiveSource, layout: Index, platform: Platform): Promise<ArchiveImage[]> {
  const images: ArchiveImage[] = [];
  for (const { name, entries } of groupByName(layout.manifests.filter(isRunnable))) {
    const [first, ...others] = entries;
    const alone = others.length === 0 && first !== undefined && manifestKind(first.mediaType) === "manifest";
    const target = alone ? first : selectManifest({ ...layout, manifests: entries }, platform);
    images.push(await readImage(source, target, platform, name));
  }
  if (images.length === 0) throw invalid("index.json lists no image");
  return images;
}

interface NamedEntries {
  readonly name: string | undefined;
  readonly entries: Descriptor[];
}

function groupByName(entries: readonly Descriptor[]): Iterable<NamedEntries> {
  const groups = new Map<string, NamedEntries>();
  for (const entry of entries) {
    const name = nameOf(entry);
    const group = groups.get(name ?? entry.digest) ?? { name, entries: [] };
    group.entries.push(entry);
    groups.set(name ?? entry.digest, group);
  }
  return groups.values();
}

/** containerd and docker write whole names; others write into `ref.name` either that or a bare tag, which names nothing. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
  const whole = annotations["io.containerd.image.name"];
  if (whole !== undefined) return readName(whole, "index.json, io.containerd.image.name");
  const name = annotations["org.opencontainers.image.ref.name"];
  if (name === undefined || !/[/:@]/.test(name)) return undefined;
  return readName(name, "index.json, org.opencontainers.image.ref.name");
}

async function readImage(
  source: ArchiveSource,
  target: Descriptor,
  platform: Platform,
  name: string | undefined,
): Promise<ArchiveImage> {
  const { documents, descriptor, manifest } = await descend(source, target, platform);
  const config = await readDocument(source, manifest.config, configLimit, "the manifest");
  const parsed = readImageConfig(manifest, config.bytes);
  const layers = await Promise.all(
    manifest.layers.map(async (layer, position) => {
      return { descriptor: layer, file: await requireBlob(source, layer.digest, `manifest.layers[${position}]`) };
    }),
  );
  return {
    names: name === undefined ? [] : [name],
    id: manifest.config.digest,
    platform: descriptor.platform ?? completePlatform(parsed.platform, platform),
    target,
    manifest: descriptor,
    documents: [...documents, config],
    layers,
  };
}

interface ResolvedManifest {
  /** All that was passed, the manifest included. */
  readonly documents: readonly ArchiveDocument[];
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/** From an index or a manifest down to the manifest for a platform. */
async function descend(source: ArchiveSource, target: Descriptor, platform: Platform): Promise<ResolvedManifest> {
  const documents: ArchiveDocument[] = [];
  let descriptor = target;
  for (let depth = 0; depth <= deepest; depth += 1) {
    const document = await readDocument(source, descriptor, manifestLimit, "the index");
    documents.push(document);
    const parsed = parseManifest(document.bytes, descriptor.mediaType);
    if (parsed.kind === "manifest") return { documents, descriptor, manifest: requireImage(parsed) };
    descriptor = selectManifest(parsed, platform);
  }
  throw invalid(`${target.digest} has more than ${deepest} indexes within one another`);
}

async function readDocument(
  source: ArchiveSource,
  descriptor: Descriptor,
  limit: number,
  wantedBy: string,
): Promise<ArchiveDocument> {
  const bytes = await readSmall(await requireBlob(source, descriptor.digest, wantedBy), limit);
  verify(descriptor, bytes);
  return { descriptor, bytes };
}

async function requireBlob(source: ArchiveSource, digest: Digest, wantedBy: string): Promise<ArchiveFile> {
  const path = blobPath(digest);
  const file = await requireFile(source, path, wantedBy);
  if (file.path !== path) throw invalid(`${quote(path)} is not a regular file`);
  return file;
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
