/** What a node tells about itself: pods, their containers, events, and the progress of pulls. */
import type { Digest } from "../image/digest.ts";
import type { Decision, ImageFacts } from "../policy/types.ts";
import type { ErrorCode } from "../support/errors.ts";
import type { ContainerKind, Pod, PullPolicy } from "../workload/types.ts";
import type { OutcomeKind } from "./decision-log/types.ts";

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

/** How far one pull is; several pods may be waiting for it. */
export interface PullProgress {
  /** As it was asked for, with the implied tag. */
  readonly image: string;
  readonly phase: "waiting" | "resolving" | "downloading" | "done" | "failed";
  /** What the name stands for, once somebody has said it. */
  readonly digest?: Digest;
  /** What the image says of itself: known before any layer is fetched. */
  readonly facts?: ImageFacts;
  /** Bytes of all layers that are here, or have come so far. */
  readonly received: number;
  /** Bytes of all layers; 0 until the manifest is known. */
  readonly total: number;
  readonly layers: readonly LayerProgress[];
}

export interface LayerProgress {
  readonly digest: Digest;
  readonly size: number;
  readonly received: number;
  readonly state: "waiting" | "exists" | "downloading" | "complete";
}

/** The labels of the kubelet's `image_manager_ensure_image_requests_total`. */
export interface RequestLabels {
  readonly pullPolicy: PullPolicy;
  readonly presentLocally: boolean | "unknown";
  readonly pullRequired: boolean | "unknown";
}

/** How one request for an image ended. */
export interface EnsuredImage {
  readonly labels: RequestLabels;
  /** Absent where something failed before there was anything to decide. */
  readonly decision: Decision | undefined;
  /** Absent where nothing was decided, or it was too early to try again. */
  readonly outcome: OutcomeKind | undefined;
  /** The code of the failure; absent where there was none, or one that nobody foresaw. */
  readonly failure: ErrorCode | undefined;
  /** Only where a pull succeeded, be it that nothing had to be fetched. */
  readonly pull: FinishedPull | undefined;
}

export interface FinishedPull {
  readonly from: "registry" | "mirror";
  /** Bytes of layers that were fetched for this request, and not for another that waited for the same. */
  readonly fetched: number;
  /** Bytes of the image on disk; 0 where that could not be found out. */
  readonly size: number;
  /** Milliseconds, the wait for its turn included. */
  readonly milliseconds: number;
}

/** What a node says as it happens. */
export type NodeSignal =
  | { readonly kind: "event"; readonly event: NodeEvent }
  | { readonly kind: "ensured"; readonly ensured: EnsuredImage }
  | { readonly kind: "pod"; readonly status: PodStatus }
  /** The pod is no more: its containers have ended, and nothing of it is left. */
  | { readonly kind: "removed"; readonly pod: Pod }
  | { readonly kind: "pull"; readonly progress: PullProgress };
