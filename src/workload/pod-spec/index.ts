/** What starting a pod's containers takes. */
export { commandOf, environmentOf } from "./environment.ts";
export { expand, unknownNames } from "./expand.ts";
export type { PodFacts } from "./facts.ts";
export type * from "./types.ts";
export { type VolumeFile, volumeFiles } from "./volume-files.ts";
