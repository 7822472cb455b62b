/** Which manifest of an index a machine runs (containerd `core/images/image.go`, `Manifest`). */
import { PulleyError } from "../support/errors.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Index } from "./manifest.ts";
import { isImageConfigType, manifestKind } from "./media-type.ts";
import { formatPlatform, matchOrder, type Platform, samePlatform } from "./platform.ts";

/**
 * The manifests of an index that may be for a platform, the best first. Entries without a platform come last: only
 * their content tells, a manifest's config or, where they are indexes themselves, their own entries. Of those that fit
 * as well, what has the type of an artifact comes after what has none; whether it is an image, its content tells.
 */
export function candidateManifests(index: Index, platform: Platform): readonly Descriptor[] {
  const runnable = index.manifests.filter(isRunnable);
  const entries = [...runnable.filter((entry) => !hasArtifactType(entry)), ...runnable.filter(hasArtifactType)];
  const matching = matchOrder(platform).flatMap((wanted) =>
    entries.filter((entry) => entry.platform !== undefined && samePlatform(entry.platform, wanted)),
  );
  return [...matching, ...entries.filter((entry) => entry.platform === undefined)];
}

/**
 * The best of {@link candidateManifests}; an index where the entry is one, for the caller to go into.
 * @throws PulleyError `PLATFORM_MISSING` with the platforms that the index has
 */
export function selectManifest(index: Index, platform: Platform): Descriptor {
  const [best] = candidateManifests(index, platform);
  if (best === undefined) throw platformMissing(index, platform);
  return best;
}

/** Whether an entry of an index may be an image; BuildKit's attestations are entries for a platform that none has. */
export function isRunnable({ mediaType, platform, annotations }: Descriptor): boolean {
  const kind = manifestKind(mediaType);
  if (kind !== "index" && kind !== "manifest") return false;
  if (platform?.os === "unknown" || platform?.architecture === "unknown") return false;
  return annotations?.["vnd.docker.reference.type"] !== "attestation-manifest";
}

function hasArtifactType({ artifactType }: Descriptor): boolean {
  return artifactType !== undefined && !isImageConfigType(artifactType);
}

const mostListed = 30;

/** The failure of an index without an image for a platform; it tells which ones there are, or what is wrong with the one. */
export function platformMissing(index: Index, platform: Platform): PulleyError {
  const fits = (own: Platform) => matchOrder(platform).some((wanted) => samePlatform(wanted, own));
  const meant = index.unusable.find((entry) => entry.platform === undefined || fits(entry.platform));
  if (meant !== undefined) return meant.failure;
  const there = new Set(
    index.manifests.filter(isRunnable).flatMap((entry) => (entry.platform ? [formatPlatform(entry.platform)] : [])),
  );
  const listed = [...there].slice(0, mostListed).join(", ") + (there.size > mostListed ? ", …" : "");
  return new PulleyError(
    "PLATFORM_MISSING",
    `no image for ${formatPlatform(platform)}: the index has ${listed === "" ? "no images" : listed}`,
  );
}
