/** What an image is: its reference, digests, platforms and manifests, each parsed once and then carried as a type. */

export { isLoopback } from "../support/loopback.ts";
export { type ContainerConfig, configLimit, type ImageConfig, parseImageConfig, readImageConfig } from "./config.ts";
export { type Descriptor, readDescriptor, readDigest, type Unusable } from "./descriptor.ts";
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestProblem,
  isDigest,
  manifestDigestIn,
  parseDigest,
} from "./digest.ts";
export { configHazards } from "./hazards.ts";
export { type Index, type Manifest, manifestLimit, parseManifest, requireImage } from "./manifest.ts";
export {
  acceptedManifests,
  isImageConfigType,
  layerType,
  manifestKind,
  mediaTypeOf,
  ociConfig,
  ociIndex,
  ociLayer,
  ociManifest,
} from "./media-type.ts";
export { asOciManifest } from "./oci-manifest.ts";
export { isOrigin, registryOrigin } from "./origin.ts";
export {
  completePlatform,
  formatPlatform,
  hostPlatform,
  matchOrder,
  normalisePlatform,
  type Platform,
  parsePlatform,
  samePlatform,
} from "./platform.ts";
export {
  asWritten,
  canonicalText,
  familiarName,
  familiarText,
  givenWithTag,
  hasImpliedTag,
  type ImageName,
  invalidNameText,
  isCanonicalName,
  isTag,
  parseImageName,
  parseReference,
  parseTag,
  type Reference,
  type Repository,
  readImageName,
  type Tag,
  withImpliedTag,
} from "./reference.ts";
export { candidateManifests, isRunnable, platformMissing, selectManifest } from "./select.ts";
export { type ImageUser, imageUser } from "./user.ts";
