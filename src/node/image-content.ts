import { checkLayerCount, type ImageConfig, parseImageConfig } from "../image/config.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { type Index, type Manifest, parseManifest, requireImage } from "../image/manifest.ts";
import { layerType } from "../image/media-type.ts";
import { formatPlatform, matchOrder, type Platform, samePlatform } from "../image/platform.ts";
import { candidateManifests, isRunnable, selectManifest } from "../image/select.ts";
import type { ImageFacts } from "../policy/types.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";

/** Where small content comes from: a registry, the store, or the one through the other. Both are verified. */
export interface ContentSource {
  manifest(descriptor: Descriptor): Promise<Uint8Array>;
  config(descriptor: Descriptor): Promise<Uint8Array>;
}

/** All that an image for one platform consists of. */
export interface ImageContent {
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** From the lowest to the topmost, each content once. */
  readonly layers: readonly Descriptor[];
  readonly platform: Platform;
  /** What rules may speak about. */
  readonly facts: ImageFacts;
}

/** How deep an index may lie in another. */
const deepestIndex = 2;

/**
 * Reads from a manifest or an index what the image for a platform consists of, and checks that it can be run.
 * @throws PulleyError `PLATFORM_MISSING`, `NOT_AN_IMAGE`, `MANIFEST_INVALID`, `MANIFEST_UNSUPPORTED`, or what the source throws
 */
export function readContent(target: Descriptor, platform: Platform, source: ContentSource): Promise<ImageContent> {
  return descend(target, 1);

  async function descend(descriptor: Descriptor, depth: number): Promise<ImageContent> {
    const document = parseManifest(await source.manifest(descriptor), descriptor.mediaType);
    if (document.kind === "manifest") return imageOf(descriptor, document);
    if (depth > deepestIndex) {
      throw new PulleyError("MANIFEST_UNSUPPORTED", `${descriptor.digest}: indexes are nested too deeply`);
    }
    const content = await choose(document, depth);
    return { ...content, facts: offeredBy(document, content.facts) };
  }

  /** Where an entry does not say for which platform it is, its content does. */
  async function choose(index: Index, depth: number): Promise<ImageContent> {
    let missing: PulleyError | undefined;
    for (const candidate of candidateManifests(index, platform)) {
      try {
        return await descend(candidate, depth + 1);
      } catch (error) {
        if (candidate.platform !== undefined || !isPulleyError(error, "PLATFORM_MISSING")) throw error;
        missing = error;
      }
    }
    if (missing !== undefined) throw missing;
    return descend(selectManifest(index, platform), depth + 1);
  }

  async function imageOf(descriptor: Descriptor, document: Manifest): Promise<ImageContent> {
    const manifest = requireImage(document);
    for (const [position, layer] of manifest.layers.entries()) checkLayer(layer, position);
    const config = parseImageConfig(await source.config(manifest.config));
    checkLayerCount(manifest, config);
    if (!matchOrder(platform).some((wanted) => samePlatform(wanted, config.platform))) {
      throw new PulleyError(
        "PLATFORM_MISSING",
        `no image for ${formatPlatform(platform)}: the image is for ${formatPlatform(config.platform)}`,
      );
    }
    const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
    const facts = factsOf(descriptor, manifest.config, layers, config);
    return { target, manifest: descriptor, config: manifest.config, layers, platform: config.platform, facts };
  }
}

function factsOf(
  manifest: Descriptor,
  configuration: Descriptor,
  layers: readonly Descriptor[],
  { config, platform }: ImageConfig,
): ImageFacts {
  const size = [manifest, configuration, ...layers].reduce((sum, content) => sum + content.size, 0);
  return { labels: config.labels ?? {}, size, platforms: [formatPlatform(platform)] };
}

/** The facts of an image that was chosen from an index: the name offers what else is in there, too. */
function offeredBy(index: Index, facts: ImageFacts): ImageFacts {
  const entries = index.manifests.filter(isRunnable);
  const platforms = entries.flatMap((entry) => (entry.platform ? [formatPlatform(entry.platform)] : []));
  return { ...facts, platforms: [...new Set([...facts.platforms, ...platforms])].sort() };
}

function checkLayer(layer: Descriptor, position: number): void {
  const type = layerType(layer.mediaType);
  if (type?.foreign) {
    throw new PulleyError(
      "MANIFEST_UNSUPPORTED",
      `manifest.layers[${position}] is a foreign layer, which is not in the registry`,
      { advice: "Rebuild the image so that all of its layers are pushed." },
    );
  }
  if (type?.encrypted) {
    throw new PulleyError("MANIFEST_UNSUPPORTED", `manifest.layers[${position}] is encrypted`, {
      advice: "Use an image that is not encrypted: Pulley has no keys.",
    });
  }
}
