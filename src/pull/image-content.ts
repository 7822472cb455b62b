import {
  candidateManifests,
  completePlatform,
  type Descriptor,
  type Digest,
  formatPlatform,
  type ImageConfig,
  type Index,
  isRunnable,
  layerType,
  type Manifest,
  manifestKind,
  matchOrder,
  type Platform,
  parseManifest,
  platformMissing,
  readImageConfig,
  requireImage,
  samePlatform,
} from "../image/index.ts";
import type { ImageFacts, Mislabelled } from "../policy/index.ts";
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
  /** What the manifest says. */
  readonly parsed: Manifest;
  readonly config: Descriptor;
  /** From the lowest to the topmost, each content once. */
  readonly layers: readonly Descriptor[];
  /** As the index has it that the image was chosen from, or else as the image says itself. */
  readonly platform: Platform;
  /** What is odd about the image and may be a mistake, in sentences. */
  readonly warnings: readonly string[];
  /** What rules may speak about. */
  readonly facts: ImageFacts;
}

/** How deep an index may lie in another. */
const deepestIndex = 2;

/**
 * Reads from a manifest or an index what the image for a platform consists of. As in containerd, what an index says of
 * its entries decides which one that is, and the config only where the index does not say; a manifest that was asked for
 * is taken for whatever platform it is.
 * @param chosen the manifest that was chosen before: those that were passed over then need not be here
 * @throws PulleyError `PLATFORM_MISSING`, `NOT_AN_IMAGE`, `MANIFEST_INVALID`, `MANIFEST_UNSUPPORTED`, or what the source throws
 */
export async function readContent(
  target: Descriptor,
  platform: Platform,
  source: ContentSource,
  chosen?: Digest,
): Promise<ImageContent> {
  return (await descend(target, { isEntry: false, platform: undefined }, 1)).content;

  async function descend(descriptor: Descriptor, place: Place, depth: number): Promise<Found> {
    const document = parseManifest(await source.manifest(descriptor), descriptor.mediaType);
    if (document.kind === "manifest") return imageOf(descriptor, document, place);
    if (depth > deepestIndex) {
      throw new PulleyError("MANIFEST_UNSUPPORTED", `${descriptor.digest}: indexes are nested too deeply`);
    }
    const { content, isSilent } = await choose(document, depth);
    return { content: { ...content, facts: offeredBy(document, content.facts) }, isSilent };
  }

  /** Where an entry does not say for which platform it is, or that it is an artifact, its content does. */
  async function choose(index: Index, depth: number): Promise<Found> {
    let unfit: PulleyError | undefined;
    let silent: Found | undefined;
    const candidates = candidateManifests(index, platform);
    const known = candidates.filter(({ digest }) => digest === chosen);
    for (const candidate of known.length > 0 ? known : candidates) {
      try {
        const found = await descend(candidate, { isEntry: true, platform: candidate.platform }, depth + 1);
        if (!found.isSilent) return found;
        silent ??= found;
      } catch (error) {
        const isArtifact = isPulleyError(error, "NOT_AN_IMAGE") && manifestKind(candidate.mediaType) === "manifest";
        const isOther = isPulleyError(error, "PLATFORM_MISSING") && candidate.platform === undefined;
        if (!isArtifact && !isOther) throw error;
        unfit = error;
      }
    }
    if (silent !== undefined) return silent;
    throw unfit ?? platformMissing(index, platform);
  }

  async function imageOf(descriptor: Descriptor, document: Manifest, place: Place): Promise<Found> {
    const manifest = requireImage(document);
    for (const [position, layer] of manifest.layers.entries()) checkLayer(layer, position);
    const config = readImageConfig(manifest, await source.config(manifest.config));
    const own = completePlatform(config.platform, place.platform ?? platform);
    const fits = matchOrder(platform).some((wanted) => samePlatform(wanted, own));
    if (place.isEntry && place.platform === undefined && !fits) {
      throw new PulleyError(
        "PLATFORM_MISSING",
        `no image for ${formatPlatform(platform)}: the image is for ${formatPlatform(own)}`,
      );
    }
    const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
    const decided = place.platform ?? own;
    const agrees = place.platform === undefined ? fits : isSameProcessor(own, place.platform);
    const mislabelled = agrees
      ? undefined
      : { itself: formatPlatform(own), takenFor: formatPlatform(place.platform ?? platform) };
    const content: ImageContent = {
      target,
      manifest: descriptor,
      parsed: manifest,
      config: manifest.config,
      layers,
      platform: decided,
      warnings: mislabelled === undefined ? [] : [warningOf(mislabelled, place)],
      facts: {
        ...factsOf(descriptor, manifest.config, layers, config, decided),
        ...(mislabelled !== undefined && { mislabelled }),
      },
    };
    return { content, isSilent: place.platform === undefined && config.platform.architecture === "" };
  }
}

/** What is known of a document by the way that led to it. */
interface Place {
  /** Whether it is an entry of an index, one of several. */
  readonly isEntry: boolean;
  /** The platform that the index says. */
  readonly platform: Platform | undefined;
}

interface Found {
  readonly content: ImageContent;
  /** Whether nobody has said for which processor it is: one that says it is better. */
  readonly isSilent: boolean;
}

/** Many builders leave out the variant. */
function isSameProcessor(own: Platform, indexed: Platform): boolean {
  return indexed.os === own.os && indexed.architecture === own.architecture;
}

function warningOf({ itself, takenFor }: Mislabelled, { platform }: Place): string {
  const says = `the image says that it is for ${itself}`;
  return platform === undefined
    ? `${says}, and was asked for as ${takenFor}`
    : `${says}, and its index has it for ${takenFor}`;
}

function factsOf(
  manifest: Descriptor,
  configuration: Descriptor,
  layers: readonly Descriptor[],
  { config }: ImageConfig,
  platform: Platform,
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
  if (type?.encrypted) {
    throw new PulleyError("MANIFEST_UNSUPPORTED", `manifest.layers[${position}] is encrypted`, {
      advice: "Use an image that is not encrypted: Pulley has no keys.",
    });
  }
}
