/** What a node reports: pods, their containers, and events. */
import type { Digest } from "../image/index.ts";
import type { Decision } from "../policy/index.ts";
import type { EnsuredImage, PullProgress } from "../pull/index.ts";
import type { ContainerKind, Pod, PullPolicy } from "../workload/index.ts";

/** An event as the kubelet records it (k8s pkg/kubelet/events/event.go). */
export interface NodeEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** `spec.containers{nginx}`; absent for image volumes and for the pod as a whole. */
  readonly fieldPath: string | undefined;
}

export type ContainerState =
  | {
      readonly kind: "waiting";
      readonly reason: string;
      readonly message: string;
      /** What to do about it, for people; Kubernetes has no such field. Only after a failure that Pulley knows. */
      readonly advice?: string;
    }
  /** The image is on this machine and the container could start; there is no container runtime to start it. */
  | { readonly kind: "prepared" }
  | RunningState
  | TerminatedState;

export interface RunningState {
  readonly kind: "running";
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface TerminatedState {
  readonly kind: "terminated";
  readonly exitCode: number;
  /** The signal that ended it, where the exit code tells of one (128 and more). */
  readonly signal?: number;
  /** `Completed`, `Error`, `OOMKilled`, or the runtime's own word. */
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch; 0 if it never ran. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

export interface ContainerStatus {
  readonly name: string;
  readonly kind: ContainerKind;
  /** As written in the pod. */
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** The image's id, once it is on this machine. */
  readonly imageId: Digest | undefined;
  readonly state: ContainerState;
  /** The decision that the node last carried out for it. */
  readonly decision: Decision | undefined;
  /** When the next attempt may be made, in milliseconds since the epoch; only inside a back-off. */
  readonly backOffUntil: number | undefined;
  /** How often it was started again. */
  readonly restartCount: number;
  /** The runtime's id of the newest container that was made for it: `containerd://0123…`. */
  readonly containerId: string | undefined;
  /** How the container before the newest one ended, or the newest where another is to follow. */
  readonly lastState: TerminatedState | undefined;
  /** It runs; an init container that is no sidecar: it has done its work. */
  readonly ready: boolean;
  readonly started: boolean;
  /** Where the newest container's output is written, in the format of CRI logs. */
  readonly logPath: string | undefined;
}

export interface PodCondition {
  readonly type: "PodScheduled" | "PodReadyToStartContainers" | "Initialized" | "ContainersReady" | "Ready";
  readonly status: "True" | "False";
  readonly reason?: string;
  readonly message?: string;
}

export interface PodStatus {
  readonly pod: Pod;
  /**
   * Kubernetes' four, where there is a runtime. Without one `Pending` until every container and every image volume is
   * prepared; then `Prepared`, Pulley's own word.
   */
  readonly phase: "Pending" | "Prepared" | "Running" | "Succeeded" | "Failed";
  /** Why the pod as a whole failed: `DeadlineExceeded`. */
  readonly reason?: string;
  readonly message?: string;
  /** Of the network of its sandbox, or of this machine; absent as long as it has none. */
  readonly podIP?: string;
  readonly hostIP?: string;
  /** Init containers, containers and ephemeral containers, in the order of the manifest. */
  readonly containers: readonly ContainerStatus[];
  readonly imageVolumes: readonly ContainerStatus[];
  readonly conditions: readonly PodCondition[];
  /**
   * Nothing more will happen by itself, or only after a back-off: all prepared, or running and ready, completed, failed
   * for good, refused, or waiting in a back-off.
   */
  readonly settled: boolean;
  readonly createdAt: number;
}

/** What a node reports as it happens. */
export type NodeSignal =
  | { readonly kind: "event"; readonly event: NodeEvent }
  | { readonly kind: "ensured"; readonly ensured: EnsuredImage }
  | { readonly kind: "pod"; readonly status: PodStatus }
  /** The pod is no more: its containers have ended, and nothing of it is left. */
  | { readonly kind: "removed"; readonly pod: Pod }
  | { readonly kind: "pull"; readonly progress: PullProgress };
