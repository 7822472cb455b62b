/** What an image in containerd consists of, read from its content. */
import {
  candidateManifests,
  configLimit,
  type Descriptor,
  type ImageConfig,
  type Index,
  isDigest,
  isImageConfigType,
  type Manifest,
  manifestLimit,
  type Platform,
  parseImageConfig,
  parseManifest,
} from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import type { Contents } from "./contents.ts";

export interface ImageGraph {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** How deep an index may lie in another. */
const deepestIndex = 2;

/**
 * The image of a target: the manifest that was chosen, or that of the platform. `undefined` if there is none, or not
 * all of its documents are here or can be read: containerd holds more than images.
 */
export async function imageGraphOf(
  contents: Contents,
  target: Descriptor,
  platform: Platform,
  chosen: string | undefined,
): Promise<ImageGraph | undefined> {
  try {
    return await descend(contents, target, platform, chosen, 0);
  } catch (error) {
    if (isPulleyError(error, ...unreadable)) return undefined;
    throw error;
  }
}

const unreadable = [
  ...(["IMAGE_NOT_FOUND", "BLOB_DAMAGED", "TOO_LARGE", "MANIFEST_INVALID", "MANIFEST_UNSUPPORTED"] as const),
];

async function descend(
  contents: Contents,
  descriptor: Descriptor,
  platform: Platform,
  chosen: string | undefined,
  depth: number,
): Promise<ImageGraph | undefined> {
  const document = parseManifest(await contents.read(descriptor.digest, manifestLimit), descriptor.mediaType);
  if (document.kind === "manifest") {
    const config = parseImageConfig(await contents.read(document.config.digest, configLimit));
    // Charts and the like are kept in the same form, and have nothing that an image's config has.
    if (!isImageConfigType(document.config.mediaType) && config.platform.architecture === "") return undefined;
    return { descriptor, manifest: document, config };
  }
  if (depth === deepestIndex) return undefined;
  for (const candidate of candidatesIn(document, platform, chosen)) {
    // containerd has only those manifests of an index that were pulled.
    const found = await imageGraphOf(contents, candidate, platform, chosen);
    if (found !== undefined) return found;
  }
  return undefined;
}

function candidatesIn(index: Index, platform: Platform, chosen: string | undefined): readonly Descriptor[] {
  const own = index.manifests.find(({ digest }) => digest === chosen);
  return own === undefined ? candidateManifests(index, platform) : [own];
}

/** A descriptor as containerd writes it down; `undefined` unless it is one that could be read. */
export function descriptorFrom(
  target: { readonly mediaType: string; readonly digest: string; readonly size: bigint } | undefined,
): Descriptor | undefined {
  if (target === undefined || !isDigest(target.digest)) return undefined;
  return { mediaType: target.mediaType, digest: target.digest, size: Number(target.size) };
}
