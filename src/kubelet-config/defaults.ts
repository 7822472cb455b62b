import { resolvePullSettings, type VerificationPolicy, verificationPolicies } from "../pull/index.ts";
import { evictionThresholds } from "./eviction.ts";
import { isGateEnabled } from "./feature-gates.ts";
import type { GivenConfiguration, KubeletConfiguration } from "./types.ts";

const second = 1000;
const minute = 60 * second;

/**
 * Fills in what is not said. A duration or number of 0 counts as not said where the kubelet's own type cannot tell the
 * two apart (k8s pkg/kubelet/apis/config/v1beta1/defaults.go).
 */
export function withDefaults(given: GivenConfiguration): KubeletConfiguration {
  const gates = given.featureGates ?? new Map<string, boolean>();
  const { burst, qps } = resolvePullSettings(given);
  const containerRuntimeEndpoint = given.containerRuntimeEndpoint || "unix:///run/containerd/containerd.sock";
  return {
    serializeImagePulls: given.serializeImagePulls ?? (given.maxParallelImagePulls ?? 0) < 2,
    maxParallelImagePulls: given.maxParallelImagePulls,
    registryPullQPS: qps,
    registryBurst: burst,
    imageGCHighThresholdPercent: given.imageGCHighThresholdPercent ?? 85,
    imageGCLowThresholdPercent: given.imageGCLowThresholdPercent ?? 80,
    imageMinimumGCAge: given.imageMinimumGCAge || 2 * minute,
    imageMaximumGCAge: given.imageMaximumGCAge ?? 0,
    imagePullCredentialsVerificationPolicy: isGateEnabled("KubeletEnsureSecretPulledImages", gates)
      ? verificationPolicyOf(given)
      : undefined,
    preloadedImagesVerificationAllowlist: given.preloadedImagesVerificationAllowlist ?? [],
    nodeStatusMaxImages: given.nodeStatusMaxImages ?? 50,
    crashLoopBackOff: crashLoopBackOff(given),
    runtimeRequestTimeout: given.runtimeRequestTimeout || 2 * minute,
    containerRuntimeEndpoint,
    imageServiceEndpoint: given.imageServiceEndpoint || containerRuntimeEndpoint,
    staticPodPath: given.staticPodPath || undefined,
    fileCheckFrequency: given.fileCheckFrequency || 20 * second,
    eviction: evictionThresholds(given).thresholds,
    evictionPressureTransitionPeriod: given.evictionPressureTransitionPeriod || 5 * minute,
    featureGates: gates,
  };
}

function verificationPolicyOf({
  imagePullCredentialsVerificationPolicy: given,
}: GivenConfiguration): VerificationPolicy {
  return verificationPolicies.find((known) => known === given) ?? "NeverVerifyPreloadedImages";
}

/** k8s pkg/kubelet/kubelet.go `newCrashLoopBackOff`: what is configured holds, and bounds the first wait too. */
function crashLoopBackOff({ maxContainerRestartPeriod, featureGates = new Map() }: GivenConfiguration) {
  const reduced = isGateEnabled("ReduceDefaultCrashLoopBackOffDecay", featureGates);
  const configurable = isGateEnabled("KubeletCrashLoopBackOffMax", featureGates);
  const standard = reduced && !configurable ? minute : 300 * second;
  const longest = (configurable ? maxContainerRestartPeriod : undefined) ?? standard;
  return { initial: Math.min(reduced ? second : 10 * second, longest), maxContainerRestartPeriod: longest };
}
