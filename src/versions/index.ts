/** Which newer versions there are of the images that are used. */
export { fixImages, type RefusedPlace, type VersionFixReport, type WantedImage } from "./fix.ts";
export { type UsedImagesOptions, usedImages } from "./images.ts";
export { type AskedImage, type Outdated, type OutdatedCall, openOutdated, type TagExplanation } from "./outdated.ts";
export type { OutdatedImage, OutdatedReport } from "./report.ts";
export type { TagChange, TagPlace, UnknownImage, UsedImage, UsedImages, UsingWorkload } from "./used-image.ts";
export type { WantedVersion } from "./version-text.ts";
export type { WorkloadPods } from "./workload-pods.ts";
