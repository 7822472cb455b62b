import type { Decision } from "../policy/index.ts";
import type { Ensured, Failure } from "../pull/index.ts";
import type { Pod, PodContainer } from "../workload/index.ts";
import type { ContainerStatus, PodCondition, PodStatus } from "./types.ts";

/** The state of a pod's containers and image volumes, from which its status follows. */
export interface PodState {
  /** Notes the result for the image of a container or image volume. */
  note(container: PodContainer, ensured: Ensured): void;
  /** A container cannot start for a reason outside of its own image. */
  noteFailure(container: PodContainer, failure: Failure): void;
  /** That failure is over. */
  forgetFailure(container: PodContainer): void;
  isPrepared(container: PodContainer): boolean;
  /** A failed pull is not final: at the next sync the container is in its back-off. */
  isHeldUp(status: ContainerStatus): boolean;
  statusOf(container: PodContainer): ContainerStatus;
  /** @param resting whether no sync of the pod is under way */
  status(resting: boolean): PodStatus;
}

export function createPodState(pod: Pod, createdAt: number): PodState {
  const known = new Map<PodContainer, ContainerStatus>();
  const first = initialReason(pod);
  for (const container of [...pod.containers, ...pod.imageVolumes])
    known.set(container, initialStatus(container, first));

  function statusOf(container: PodContainer): ContainerStatus {
    return known.get(container) ?? initialStatus(container, first);
  }

  function isPrepared(container: PodContainer): boolean {
    return statusOf(container).state.kind === "prepared";
  }

  function note(container: PodContainer, decision: Decision | undefined, change: Partial<ContainerStatus>): void {
    known.set(container, { ...statusOf(container), decision, backOffUntil: undefined, ...change });
  }

  function noteFailure(container: PodContainer, failure: Failure, decision: Decision | undefined): void {
    const { reason, message, advice, backOffUntil } = failure;
    const state = { kind: "waiting", reason, message, ...(advice !== undefined && { advice }) } as const;
    note(container, decision, { state, backOffUntil });
  }

  return {
    statusOf,
    isPrepared,
    note: (container, { imageId, failure, decision }) => {
      if (failure !== undefined) noteFailure(container, failure, decision);
      else note(container, decision, { imageId, state: { kind: "prepared" } });
    },
    isHeldUp: isPullFailure,
    forgetFailure: (container) => {
      const { state } = initialStatus(container, first);
      note(container, statusOf(container).decision, { state });
    },
    noteFailure: (container, failure) => noteFailure(container, failure, statusOf(container).decision),
    status: (resting) => {
      const prepared = [...pod.containers, ...pod.imageVolumes].every(isPrepared);
      return {
        pod,
        phase: prepared ? "Prepared" : "Pending",
        containers: pod.containers.map(statusOf),
        imageVolumes: pod.imageVolumes.map(statusOf),
        conditions: conditionsOf(pod, isPrepared),
        settled: prepared || (resting && ![...known.values()].some(isPullFailure)),
        createdAt,
      };
    },
  };
}

/** A failed pull is not final: at the next sync the container is in its back-off. */
function isPullFailure({ state, backOffUntil }: ContainerStatus): boolean {
  return state.kind === "waiting" && backOffUntil !== undefined && !/^(ImagePull|CrashLoop)BackOff$/.test(state.reason);
}

/** What a container waits for before anything was tried (k8s pkg/kubelet/kubelet_pods.go). */
function initialReason({ containers }: Pod): string {
  return containers.some(({ kind }) => kind === "initContainer") ? "PodInitializing" : "ContainerCreating";
}

function initialStatus({ name, kind, image, pullPolicy }: PodContainer, reason: string): ContainerStatus {
  return {
    name,
    kind,
    image,
    pullPolicy,
    imageId: undefined,
    state: { kind: "waiting", reason: kind === "imageVolume" ? "ContainerCreating" : reason, message: "" },
    decision: undefined,
    backOffUntil: undefined,
    restartCount: 0,
    containerId: undefined,
    lastState: undefined,
    ready: false,
    started: false,
    logPath: undefined,
  };
}

/** As k8s pkg/kubelet/status/generate.go, but for a node without a runtime: what is prepared does not become ready. */
function conditionsOf({ containers }: Pod, isPrepared: (container: PodContainer) => boolean): readonly PodCondition[] {
  const unprepared = (...kinds: readonly PodContainer["kind"][]) =>
    containers.filter((container) => kinds.includes(container.kind) && !isPrepared(container)).map(({ name }) => name);
  const incomplete = unprepared("initContainer");
  const unready = [...unprepared("initContainer").filter(isSidecar), ...unprepared("container")];
  const notReady = {
    status: "False",
    reason: unready.length > 0 ? "ContainersNotReady" : "ContainersPrepared",
    message:
      unready.length > 0
        ? `containers with unready status: [${unready.join(" ")}]`
        : "the images are on this machine; there is no container runtime to start the containers",
  } as const;
  return [
    { type: "PodScheduled", status: "True" },
    { type: "PodReadyToStartContainers", status: "True" },
    incomplete.length === 0
      ? { type: "Initialized", status: "True" }
      : {
          type: "Initialized",
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${incomplete.join(" ")}]`,
        },
    { type: "ContainersReady", ...notReady },
    { type: "Ready", ...notReady },
  ];

  function isSidecar(name: string): boolean {
    return containers.some((container) => container.name === name && container.restartPolicy === "Always");
  }
}
