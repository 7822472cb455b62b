/** The feature gates that images depend on, as Kubernetes 1.36 has them (k8s pkg/features/kube_features.go). */

type Stage = "alpha" | "beta" | "stable";

const gates = {
  CRIListStreaming: ["alpha", false],
  ImageMaximumGCAge: ["stable", true],
  ImageVolume: ["stable", true],
  ImageVolumeWithDigest: ["alpha", false],
  KubeletCrashLoopBackOffMax: ["beta", true],
  KubeletEnsureSecretPulledImages: ["beta", true],
  KubeletSeparateDiskGC: ["beta", true],
  KubeletServiceAccountTokenForCredentialProviders: ["beta", true],
  ReduceDefaultCrashLoopBackOffDecay: ["alpha", false],
  RuntimeClassInImageCriAPI: ["alpha", false],
} as const satisfies Record<string, readonly [Stage, boolean]>;

export type FeatureGate = keyof typeof gates;

/** What the configuration sets; `AllAlpha` and `AllBeta` stand for every gate of that stage that is not named itself. */
export type GivenGates = ReadonlyMap<string, boolean>;

export function isGateEnabled(gate: FeatureGate, given: GivenGates): boolean {
  const [stage, standard] = gates[gate];
  const whole = { alpha: "AllAlpha", beta: "AllBeta", stable: undefined }[stage];
  return given.get(gate) ?? (whole === undefined ? undefined : given.get(whole)) ?? standard;
}
