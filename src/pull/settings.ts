/** How many pulls run at once and how fast they may begin, in the words of the kubelet's configuration. */
export interface PullSettings {
  /** One pull at a time. Default: true, unless {@link PullSettings.maxParallelImagePulls} is 2 or more. */
  readonly serializeImagePulls?: boolean | undefined;
  /** Default: no limit, once pulls are not serialized. */
  readonly maxParallelImagePulls?: number | undefined;
  /** Pulls that may begin in a second; 0 for no limit. Default 5. */
  readonly registryPullQPS?: number | undefined;
  /** Pulls that may begin at once after a quiet time. Default 10, which also stands for 0. */
  readonly registryBurst?: number | undefined;
}

export interface ResolvedPullSettings {
  /** Pulls at once; `Infinity` for no limit. */
  readonly parallel: number;
  readonly qps: number;
  readonly burst: number;
}

/** The kubelet's defaulting (k8s pkg/kubelet/apis/config/v1beta1/defaults.go). For settings without problems. */
export function resolvePullSettings(settings: PullSettings): ResolvedPullSettings {
  const most = settings.maxParallelImagePulls;
  const serialize = settings.serializeImagePulls ?? (most ?? 0) < 2;
  return {
    parallel: serialize ? 1 : (most ?? Number.POSITIVE_INFINITY),
    qps: settings.registryPullQPS ?? 5,
    burst: settings.registryBurst || 10,
  };
}

/** What is wrong with the settings, in the kubelet's texts (k8s pkg/kubelet/apis/config/validation/validation.go). */
export function validatePullSettings(settings: PullSettings): readonly string[] {
  const { serializeImagePulls, maxParallelImagePulls: most, registryPullQPS: qps, registryBurst: burst } = settings;
  const problems: string[] = [];
  if (burst !== undefined && !(burst >= 0)) {
    problems.push(`registryBurst (--registry-burst) ${burst} must not be a negative number`);
  }
  if (qps !== undefined && !(qps >= 0)) {
    problems.push(`registryPullQPS (--registry-qps) ${qps} must not be a negative number`);
  }
  if (most !== undefined && !(most >= 1)) problems.push(`maxParallelImagePulls ${most} must be a positive number`);
  if (most !== undefined && most > 1 && serializeImagePulls === true) {
    problems.push(
      "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
    );
  }
  return problems.map((problem) => `invalid configuration: ${problem}`);
}
