/**
 * The fields that a KubeletConfiguration of Kubernetes 1.37 may have (k8s.io/kubelet/config/v1beta1/types.go), so that a
 * misspelt one is told apart from one that is not about images.
 */

/** `true` where the field is no object, or one with keys of the user's own. */
export type KnownFields = ReadonlyMap<string, KnownFields | true>;

const plainFields = `
  apiVersion kind enableServer staticPodPath podLogsDir syncFrequency fileCheckFrequency httpCheckFrequency staticPodURL
  staticPodURLHeader address port readOnlyPort tlsCertFile tlsPrivateKeyFile tlsCipherSuites tlsCurvePreferences
  tlsMinVersion rotateCertificates serverTLSBootstrap registryPullQPS registryBurst
  imagePullCredentialsVerificationPolicy preloadedImagesVerificationAllowlist eventRecordQPS eventBurst
  enableDebuggingHandlers enableContentionProfiling healthzPort healthzBindAddress oomScoreAdj clusterDomain clusterDNS
  streamingConnectionIdleTimeout nodeStatusUpdateFrequency nodeStatusReportFrequency nodeLeaseDurationSeconds
  imageMinimumGCAge imageMaximumGCAge imageGCHighThresholdPercent imageGCLowThresholdPercent volumeStatsAggPeriod
  kubeletCgroups systemCgroups cgroupRoot cgroupsPerQOS cgroupDriver cpuManagerPolicy singleProcessOOMKill
  cpuManagerPolicyOptions cpuManagerReconcilePeriod memoryManagerPolicy topologyManagerPolicy topologyManagerScope
  topologyManagerPolicyOptions qosReserved runtimeRequestTimeout hairpinMode maxPods podCIDR podPidsLimit resolvConf
  runOnce cpuCFSQuota cpuCFSQuotaPeriod nodeStatusMaxImages maxOpenFiles contentType kubeAPIQPS kubeAPIBurst
  serializeImagePulls maxParallelImagePulls evictionHard evictionSoft evictionSoftGracePeriod
  evictionPressureTransitionPeriod evictionMaxPodGracePeriod evictionMinimumReclaim mergeDefaultEvictionSettings
  podsPerCore enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains iptablesMasqueradeBit
  iptablesDropBit featureGates failSwapOn containerLogMaxSize containerLogMaxFiles containerLogMaxWorkers
  containerLogMonitorInterval configMapAndSecretChangeDetectionStrategy systemReserved kubeReserved reservedSystemCPUs
  showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup enforceNodeAllocatable allowedUnsafeSysctls
  defaultPodSysctls volumePluginDir providerID kernelMemcgNotification logging enableSystemLogHandler
  enableSystemLogQuery shutdownGracePeriod shutdownGracePeriodCriticalPods shutdownGracePeriodByPodPriority
  reservedMemory enableProfilingHandler enableDebugFlagsHandler seccompDefault memoryThrottlingFactor
  memoryReservationPolicy registerWithTaints registerNode tracing localStorageCapacityIsolation
  containerRuntimeEndpoint imageServiceEndpoint failCgroupV1`;

function fields(names: string, objects: readonly (readonly [string, KnownFields])[] = []): KnownFields {
  const plain = names.split(/\s+/).filter(Boolean);
  return new Map<string, KnownFields | true>([...plain.map((name) => [name, true] as const), ...objects]);
}

export const knownFields = fields(plainFields, [
  [
    "authentication",
    fields("", [
      ["x509", fields("clientCAFile")],
      ["webhook", fields("enabled cacheTTL")],
      ["anonymous", fields("enabled")],
    ]),
  ],
  ["authorization", fields("mode", [["webhook", fields("cacheAuthorizedTTL cacheUnauthorizedTTL")]])],
  ["memorySwap", fields("swapBehavior")],
  ["crashLoopBackOff", fields("maxContainerRestartPeriod")],
  ["userNamespaces", fields("idsPerPod")],
]);
