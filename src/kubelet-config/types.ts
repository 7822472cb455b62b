import type { VerificationPolicy } from "../pull/index.ts";
import type { EvictionThreshold } from "./eviction-threshold.ts";
import type { GivenGates } from "./feature-gates.ts";

/**
 * What a file or the command line says of images, field by field; `undefined` where it says nothing. Durations are in
 * milliseconds.
 */
export interface GivenConfiguration {
  readonly serializeImagePulls?: boolean | undefined;
  readonly maxParallelImagePulls?: number | undefined;
  readonly registryPullQPS?: number | undefined;
  readonly registryBurst?: number | undefined;
  readonly imageGCHighThresholdPercent?: number | undefined;
  readonly imageGCLowThresholdPercent?: number | undefined;
  readonly imageMinimumGCAge?: number | undefined;
  readonly imageMaximumGCAge?: number | undefined;
  readonly imagePullCredentialsVerificationPolicy?: string | undefined;
  readonly preloadedImagesVerificationAllowlist?: readonly string[] | undefined;
  readonly nodeStatusMaxImages?: number | undefined;
  /** `crashLoopBackOff.maxContainerRestartPeriod`. */
  readonly maxContainerRestartPeriod?: number | undefined;
  readonly runtimeRequestTimeout?: number | undefined;
  readonly containerRuntimeEndpoint?: string | undefined;
  readonly imageServiceEndpoint?: string | undefined;
  readonly staticPodPath?: string | undefined;
  readonly fileCheckFrequency?: number | undefined;
  readonly evictionHard?: Texts | undefined;
  readonly evictionSoft?: Texts | undefined;
  readonly evictionSoftGracePeriod?: Texts | undefined;
  readonly evictionMinimumReclaim?: Texts | undefined;
  readonly evictionPressureTransitionPeriod?: number | undefined;
  readonly mergeDefaultEvictionSettings?: boolean | undefined;
  readonly featureGates?: GivenGates | undefined;
}

export type Texts = ReadonlyMap<string, string>;

/** How a kubelet is to deal with images: every field has a value. Durations are in milliseconds. */
export interface KubeletConfiguration {
  readonly serializeImagePulls: boolean;
  /** Absent: no limit, where pulls are not serialized. */
  readonly maxParallelImagePulls: number | undefined;
  readonly registryPullQPS: number;
  readonly registryBurst: number;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAge: number;
  /** 0: images do not become too old. */
  readonly imageMaximumGCAge: number;
  /** Absent: the feature gate is off, and every pod may use every image that is here. */
  readonly imagePullCredentialsVerificationPolicy: VerificationPolicy | undefined;
  readonly preloadedImagesVerificationAllowlist: readonly string[];
  /** -1: all. */
  readonly nodeStatusMaxImages: number;
  /** The first and the longest wait before a container is started again. */
  readonly crashLoopBackOff: { readonly initial: number; readonly maxContainerRestartPeriod: number };
  readonly runtimeRequestTimeout: number;
  readonly containerRuntimeEndpoint: string;
  readonly imageServiceEndpoint: string;
  /** Absent: no static pods. */
  readonly staticPodPath: string | undefined;
  readonly fileCheckFrequency: number;
  /** Hard ones first. */
  readonly eviction: readonly EvictionThreshold[];
  readonly evictionPressureTransitionPeriod: number;
  readonly featureGates: GivenGates;
}
