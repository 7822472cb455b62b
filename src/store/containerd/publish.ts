/** Making an image visible: content whole, layers unpacked, each tied to what it needs, and then the names. */
import {
  configHazards,
  configLimit,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
  manifestLimit,
  parseManifest,
  parseReference,
  readImageConfig,
} from "../../image/index.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import type { ImageRecord, StoredImage } from "../image-store.ts";
import { dropParts } from "../ingest.ts";
import { checkName, isNameless, uniqueByDigest } from "../stored-record.ts";
import { chainIds } from "./chain-ids.ts";
import type { Contents } from "./contents.ts";
import { type ContainerdContext, labels } from "./context.ts";
import type { ContainerdNames } from "./names.ts";
import type { Protection } from "./protection.ts";
import type { Unpacker } from "./unpack.ts";

export interface ContainerdPublication {
  readonly context: ContainerdContext;
  readonly contents: Contents;
  readonly names: ContainerdNames;
  readonly unpacker: Unpacker;
  readonly lease: Protection;
}

export async function publish(
  publication: ContainerdPublication,
  wanted: readonly ImageRecord[],
  known?: Manifest,
): Promise<StoredImage> {
  const { contents, names, unpacker, lease } = publication;
  const [first] = wanted;
  if (first === undefined) throw new PulleyError("INTERNAL", "an image is published without any name");
  checkRecords(first, wanted);
  const manifest = known ?? (await readManifest(contents, first.manifest));
  if (manifest.config.digest !== first.image) {
    throw new PulleyError("INTERNAL", `${first.name} is published as ${first.image}, but is ${manifest.config.digest}`);
  }
  refuseCheckpoint(first.manifest.digest, manifest);
  const config = readImageConfig(manifest, await readPart(contents, manifest.config.digest, configLimit));
  refuseHazards(first.image, config);
  const targets = wanted.map(({ target }) => target);
  // All claims about content are checked: two records may disagree about the same content.
  const manifests = wanted.map((record) => record.manifest);
  const needed = [...manifest.layers, manifest.config, ...manifests, ...targets];
  for (const content of needed) {
    await lease.keepContent(content.digest);
    if (!(await contents.has(content))) throw incomplete(content.digest);
  }
  const top = await unpacker.unpack(manifest, config, lease);
  await tie(publication, first.manifest, manifest, top);
  for (const target of uniqueByDigest(targets)) {
    if (target.digest !== first.manifest.digest) await tieIndex(publication, targets, target.digest, first.manifest);
  }
  await writeNames(publication, wanted);
  lease.noteNamed(...needed.map(({ digest }) => digest), ...chainIds(config.diffIds));
  for (const scope of scopesOf(wanted)) {
    for (const layer of uniqueByDigest(manifest.layers)) await dropParts(publication.context, layer, scope);
  }
  return (await names.fresh()).image(first.image) ?? vanished(first.image);
}

/** The scopes of partial downloads that this image replaces: its repositories, and none. */
function scopesOf(wanted: readonly ImageRecord[]): ReadonlySet<string> {
  const named = wanted.filter((record) => !isNameless(record));
  return new Set(["", ...named.map(({ name }) => parseReference(name).repository.name)]);
}

/** All names of one call stand for one image. */
function checkRecords(first: ImageRecord, wanted: readonly ImageRecord[]): void {
  for (const record of wanted) {
    checkName(record);
    if (record.image !== first.image || record.manifest.digest !== first.manifest.digest) {
      throw new PulleyError("INTERNAL", `${record.name} is published together with another image's name`);
    }
  }
}

/** Annotations by which CRI-O and containerd know images that are containers' memory (CVE-2026-53489, CVE-2026-53492). */
const checkpoint = /^(?:org\.criu\.checkpoint\.|io\.kubernetes\.cri-o\.annotations\.checkpoint\.)/;

/** containerd believes what such an image says about files and processes of the node. */
function refuseCheckpoint(digest: Digest, { annotations = {} }: Manifest | Index): void {
  const found = Object.keys(annotations).find((key) => checkpoint.test(key));
  if (found === undefined) return;
  throw new PulleyError("NOT_AN_IMAGE", `${digest} is a checkpoint of a container (${quote(found)}), not an image`, {
    advice: "Build an image from a Dockerfile; Pulley gives no checkpoints to containerd.",
  });
}

/** containerd starts containers from what it is given, and old ones fall for each of these. */
function refuseHazards(id: Digest, { config }: ImageConfig): void {
  const [hazard] = configHazards(config);
  if (hazard === undefined) return;
  throw new PulleyError("MANIFEST_INVALID", `${id} would endanger the node: ${hazard}`, {
    advice: "Tell who builds the image: no program needs this.",
  });
}

/** What the garbage collector of containerd follows: from the manifest to its parts, from the config to the snapshots. */
async function tie(
  { context, contents, lease }: ContainerdPublication,
  { digest }: Descriptor,
  manifest: Manifest,
  top: Digest | undefined,
): Promise<void> {
  if (top !== undefined) {
    await contents.label(manifest.config.digest, { [labels.needsSnapshot + context.snapshotter]: top }, lease.id);
  }
  const layers = manifest.layers.map((layer, at) => [`${labels.needsContent}l.${at}`, layer.digest] as const);
  const parts = Object.fromEntries([[`${labels.needsContent}config`, manifest.config.digest], ...layers]);
  await contents.label(digest, parts, lease.id);
}

/** Only to the manifest that is here; where an index lies between the two, to that and on. */
async function tieIndex(
  publication: ContainerdPublication,
  targets: readonly Descriptor[],
  digest: Digest,
  manifest: Descriptor,
): Promise<void> {
  const mediaType = targets.find((target) => target.digest === digest)?.mediaType ?? "";
  const path = await pathTo(publication, { ...manifest, digest, mediaType }, manifest.digest, 0);
  if (path === undefined) {
    throw new PulleyError("INTERNAL", `${digest} is published as the index of ${manifest.digest}, which is not in it`);
  }
  for (const [index, position, child] of path) {
    await publication.contents.label(index, { [`${labels.needsContent}m.${position}`]: child }, publication.lease.id);
  }
}

type Link = readonly [index: Digest, position: number, child: Digest];

async function pathTo(
  publication: ContainerdPublication,
  descriptor: Descriptor,
  wanted: Digest,
  depth: number,
): Promise<readonly Link[] | undefined> {
  const document = parseManifest(
    await readPart(publication.contents, descriptor.digest, manifestLimit),
    descriptor.mediaType,
  );
  if (document.kind === "manifest") return undefined;
  refuseCheckpoint(descriptor.digest, document);
  const direct = document.manifests.findIndex(({ digest }) => digest === wanted);
  if (direct >= 0) return [[descriptor.digest, direct, wanted]];
  if (depth > 0) return undefined;
  for (const [position, child] of document.manifests.entries()) {
    if ((await publication.contents.size(child.digest)) === undefined) continue;
    const rest = await pathTo(publication, child, wanted, depth + 1);
    if (rest === undefined) continue;
    await publication.lease.keepContent(child.digest);
    return [[descriptor.digest, position, child.digest], ...rest];
  }
  return undefined;
}

/**
 * The id comes first, so that whatever happens the image can be found; names with a digest come before tags, which
 * people look at. containerd's CRI takes an image for one of its own by the label that all of them have.
 */
async function writeNames({ names, lease }: ContainerdPublication, wanted: readonly ImageRecord[]): Promise<void> {
  const [first] = wanted;
  if (first === undefined) return;
  await keepNameless(names, wanted, lease);
  const { confirmedAt: _, ...known } = first;
  await names.write({ ...known, name: first.image }, lease.id);
  const named = wanted.filter((record) => !isNameless(record));
  for (const record of named.toSorted(digestsFirst)) await names.write(record, lease.id);
}

/** An image whose last name goes to another one stays, without a name. Those that came through the CRI have their id. */
async function keepNameless(names: ContainerdNames, coming: readonly ImageRecord[], lease: Protection): Promise<void> {
  const before = await names.fresh();
  for (const { name, image } of coming) {
    const old = before.records.get(name);
    if (old === undefined || old.image === image || before.records.has(old.image)) continue;
    const { confirmedAt: _, ...known } = old;
    await names.write({ ...known, name: old.image }, lease.id);
  }
}

function digestsFirst(one: ImageRecord, other: ImageRecord): number {
  return Number(other.name.includes("@")) - Number(one.name.includes("@"));
}

async function readManifest(contents: Contents, { digest, mediaType }: Descriptor): Promise<Manifest> {
  const manifest = parseManifest(await readPart(contents, digest, manifestLimit), mediaType);
  if (manifest.kind === "manifest") return manifest;
  throw new PulleyError("INTERNAL", `${digest} is published as an image's manifest, but is an index`);
}

async function readPart(contents: Contents, digest: Digest, limit: number): Promise<Buffer> {
  try {
    return await contents.read(digest, limit);
  } catch (error) {
    throw isPulleyError(error, "IMAGE_NOT_FOUND") ? incomplete(digest) : error;
  }
}

function incomplete(digest: Digest): PulleyError {
  return new PulleyError("CONTENT_MISSING", `the image cannot be made visible: ${digest} is not in containerd`);
}

function vanished(id: Digest): never {
  throw new PulleyError("CONTENT_MISSING", `${id} was removed from containerd as soon as it was there`);
}
