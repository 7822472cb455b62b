/** A `KubeletConfiguration`, as far as it is about images. */
export type { EvictionThreshold, ThresholdValue } from "./eviction-threshold.ts";
export { kubeletConfiguration, readKubeletConfiguration } from "./read.ts";
export type { GivenConfiguration, KubeletConfiguration } from "./types.ts";
