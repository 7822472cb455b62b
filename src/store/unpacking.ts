/** Whether layers unpack to what their image's config says of them (image-spec `config.md`, `rootfs.diff_ids`). */
import { createHash } from "node:crypto";
import {
  configLimit,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  manifestLimit,
  parseImageConfig,
  parseManifest,
} from "../image/index.ts";
import { decompressDetected } from "../support/decompress.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import type { ImageStore, StoredImage } from "./image-store.ts";

/**
 * Reads a layer's unpacked bytes to their end.
 * @returns how many there are
 * @throws PulleyError `DIGEST_MISMATCH` if they are not what the config says, `MANIFEST_INVALID` if it cannot be unpacked
 */
export async function measureUnpacked(
  content: AsyncIterable<Buffer>,
  layer: Digest,
  diffId: Digest,
  signal?: AbortSignal,
): Promise<number> {
  const algorithm = digestAlgorithm(diffId);
  const hash = createHash(algorithm);
  let size = 0;
  try {
    for await (const chunk of decompressDetected(content)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (isPulleyError(error)) throw error;
    throw new PulleyError("MANIFEST_INVALID", `the layer ${layer} cannot be decompressed: ${errorText(error)}`);
  }
  const found = `${algorithm}:${hash.digest("hex")}`;
  if (found === diffId) return size;
  throw new PulleyError(
    "DIGEST_MISMATCH",
    `the layer ${layer} unpacks to ${found}, but the image's config says ${diffId}`,
    { advice: "The image was built wrong, and no program can unpack it: build and push it again." },
  );
}

/** A layer whose bytes are those of its digest, and not what its image says that they unpack to. */
export interface UnfitLayer {
  readonly layer: Digest;
  /** What the config says. */
  readonly diffId: Digest;
  /** `DIGEST_MISMATCH` or `MANIFEST_INVALID`. */
  readonly error: PulleyError;
  /** Names of the images, or the id of one without a name. */
  readonly images: readonly string[];
}

interface LayerClaim {
  readonly layer: Descriptor;
  readonly diffId: Digest;
  readonly images: string[];
}

/** Unpacks every layer that is here, each once for each thing that is said of it. What is missing or damaged is passed over. */
export async function* unfitLayers(store: ImageStore, signal?: AbortSignal): AsyncGenerator<UnfitLayer, void> {
  const claims = new Map<string, LayerClaim>();
  for (const image of await store.images()) {
    for (const { layer, diffId } of await claimsOf(store, image)) {
      const key = `${layer.digest} ${diffId}`;
      const claim = claims.get(key) ?? { layer, diffId, images: [] };
      claims.set(key, claim);
      claim.images.push(...namesOf(image));
    }
  }
  for (const { layer, diffId, images } of claims.values()) {
    signal?.throwIfAborted();
    try {
      await measureUnpacked(await store.open(layer), layer.digest, diffId, signal);
    } catch (error) {
      if (isAbsent(error)) continue;
      if (!isPulleyError(error, "DIGEST_MISMATCH", "MANIFEST_INVALID")) throw error;
      yield { layer: layer.digest, diffId, error, images };
    }
  }
}

async function claimsOf(store: ImageStore, { manifest: { digest, mediaType }, id }: StoredImage) {
  try {
    const manifest = parseManifest(await store.read(digest, manifestLimit), mediaType);
    if (manifest.kind !== "manifest") return [];
    const { diffIds } = parseImageConfig(await store.read(id, configLimit));
    return manifest.layers.flatMap((layer, at) => {
      const diffId = diffIds[at];
      return diffId === undefined ? [] : [{ layer, diffId }];
    });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function namesOf({ repoTags, repoDigests, id }: StoredImage): readonly string[] {
  const names = [...repoTags, ...repoDigests];
  return names.length > 0 ? names : [id];
}

/** These are reported where blobs are verified. */
function isAbsent(error: unknown): boolean {
  return isPulleyError(error, "IMAGE_NOT_FOUND", "CONTENT_MISSING", "BLOB_DAMAGED", "SIZE_MISMATCH", "STORE_FAILED");
}
