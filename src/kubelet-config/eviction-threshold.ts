/** When the kubelet counts a node as under pressure (k8s pkg/kubelet/eviction/api/types.go). */

export const evictionSignals = [
  "memory.available",
  "allocatableMemory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "containerfs.available",
  "containerfs.inodesFree",
  "pid.available",
] as const;

export type EvictionSignal = (typeof evictionSignals)[number];

/** A number of bytes or inodes, or a share of all that there are, from 0 to 1. */
export type ThresholdValue =
  | { readonly kind: "quantity"; readonly quantity: number }
  | { readonly kind: "share"; readonly share: number };

/** Met when less than its value is left. */
export interface EvictionThreshold {
  readonly signal: EvictionSignal;
  readonly value: ThresholdValue;
  /** As it is written: `15%`, `1Gi`. */
  readonly text: string;
  /** Milliseconds that a soft threshold must have been met for; absent for a hard one. */
  readonly gracePeriod: number | undefined;
  /** How much more than up to the threshold is to be gained. */
  readonly minimumReclaim: ThresholdValue | undefined;
}
