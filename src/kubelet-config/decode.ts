import { fieldReader, type MappingValue, type RefuseField } from "../workload/index.ts";
import type { GivenConfiguration } from "./types.ts";

/** What a document says of images. What does not have the type that it must have is told, and left out. */
export function decodeConfiguration(root: MappingValue, refuse: RefuseField): GivenConfiguration {
  const { boolean, integer, text, duration, texts, textMap, booleanMap, struct } = fieldReader(
    root,
    { name: "KubeletConfiguration", package: "v1beta1" },
    refuse,
  );
  return {
    serializeImagePulls: boolean("serializeImagePulls"),
    maxParallelImagePulls: integer("maxParallelImagePulls"),
    registryPullQPS: integer("registryPullQPS"),
    registryBurst: integer("registryBurst"),
    imageGCHighThresholdPercent: integer("imageGCHighThresholdPercent"),
    imageGCLowThresholdPercent: integer("imageGCLowThresholdPercent"),
    imageMinimumGCAge: duration("imageMinimumGCAge"),
    imageMaximumGCAge: duration("imageMaximumGCAge"),
    imagePullCredentialsVerificationPolicy: text("imagePullCredentialsVerificationPolicy"),
    preloadedImagesVerificationAllowlist: texts("preloadedImagesVerificationAllowlist"),
    nodeStatusMaxImages: integer("nodeStatusMaxImages"),
    maxContainerRestartPeriod: struct("crashLoopBackOff", "CrashLoopBackOffConfig").duration(
      "maxContainerRestartPeriod",
    ),
    runtimeRequestTimeout: duration("runtimeRequestTimeout"),
    containerRuntimeEndpoint: text("containerRuntimeEndpoint"),
    imageServiceEndpoint: text("imageServiceEndpoint"),
    staticPodPath: text("staticPodPath"),
    fileCheckFrequency: duration("fileCheckFrequency"),
    evictionHard: textMap("evictionHard"),
    evictionSoft: textMap("evictionSoft"),
    evictionSoftGracePeriod: textMap("evictionSoftGracePeriod"),
    evictionMinimumReclaim: textMap("evictionMinimumReclaim"),
    evictionPressureTransitionPeriod: duration("evictionPressureTransitionPeriod"),
    mergeDefaultEvictionSettings: boolean("mergeDefaultEvictionSettings"),
    featureGates: booleanMap("featureGates"),
  };
}
