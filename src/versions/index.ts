/** Which newer versions there are of the images that are used. */
export type { ComparedCopies } from "./copies.ts";
export { fixImages, type RefusedPlace, type VersionFixReport, type WantedImage } from "./fix.ts";
export { type LiveObjects, type UsedImagesOptions, usedImages } from "./images.ts";
export {
  type AskedImage,
  type Outdated,
  type OutdatedCall,
  openOutdated,
  type TagExplanation,
  unknownImage,
} from "./outdated.ts";
export type { OutdatedImage, OutdatedReport } from "./report.ts";
export type { UpstreamSource } from "./upstream.ts";
export {
  requestOf,
  type TagChange,
  type TagPlace,
  type UnknownImage,
  type UsedImage,
  type UsedImages,
  type UsingWorkload,
} from "./used-image.ts";
export type { WantedVersion } from "./version-text.ts";
export type { RequestingPods, WorkloadPods } from "./workload-pods.ts";
