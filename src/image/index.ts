/** What an image is: its reference, digests, platforms and manifests, each parsed once and then carried as a type. */
export { type ContainerConfig, configLimit, type ImageConfig, parseImageConfig, readImageConfig } from "./config.ts";
export type { Descriptor, Unusable } from "./descriptor.ts";
export { type Digest, type DigestAlgorithm, digestAlgorithm, digestHex, isDigest, parseDigest } from "./digest.ts";
export { type Index, type Manifest, manifestLimit, parseManifest, requireImage } from "./manifest.ts";
export { formatPlatform, hostPlatform, normalisePlatform, type Platform, parsePlatform } from "./platform.ts";
export {
  canonicalText,
  familiarName,
  parseImageName,
  parseReference,
  parseTag,
  type Reference,
  type Repository,
  type Tag,
  withImpliedTag,
} from "./reference.ts";
export { candidateManifests, selectManifest } from "./select.ts";
