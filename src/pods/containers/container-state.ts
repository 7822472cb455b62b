/** How a container's state follows from what the runtime has of it (k8s pkg/kubelet/kubelet_pods.go, `convertToAPIContainerStatuses`). */
import type { ContainerSpec, PodSpec } from "../../workload/index.ts";
import type { ContainerStatus, TerminatedState } from "../types.ts";
import { policyOf, shouldRestart } from "./actions.ts";
import { newestOf, type Observed, type ObservedContainer, previousOf } from "./observed.ts";

export interface ContainerView {
  readonly spec: PodSpec;
  readonly container: ContainerSpec;
  readonly observed: Observed;
  /** What is known of its image, and why it could not be started the last time. */
  readonly noted: ContainerStatus;
  /** `containerd` */
  readonly runtimeName: string;
  /** What it waits for where nothing went wrong. */
  readonly initialReason: string;
  /** The termination messages of the newest container and the one before. */
  readonly lastWords: (container: ObservedContainer) => string;
}

export function containerStatus(view: ContainerView): ContainerStatus {
  const { spec, container, observed, noted, runtimeName, lastWords } = view;
  const newest = newestOf(observed, container.name);
  const previous = previousOf(observed, container.name);
  if (newest === undefined) return { ...noted, state: waitingState(view) };
  const before = previous?.state === "exited" ? terminated(previous, lastWords(previous)) : undefined;
  const status: ContainerStatus = {
    ...noted,
    restartCount: newest.attempt,
    containerId: `${runtimeName}://${newest.id}`,
    logPath: newest.logPath === "" ? undefined : newest.logPath,
    lastState: before,
    backOffUntil: undefined,
  };
  if (newest.state === "running") {
    // A step on the way to the pod's containers is ready when it has been taken.
    const lasts = container.kind !== "initContainer" || container.isSidecar;
    return { ...status, state: { kind: "running", startedAt: newest.startedAt }, ready: lasts, started: lasts };
  }
  const { backOffUntil } = noted;
  if (newest.state !== "exited") return { ...status, state: waitingState(view), backOffUntil };
  const ended = terminated(newest, lastWords(newest));
  const heldUp = shouldRestart(newest, policyOf(container, spec)) && isFailure(noted);
  if (heldUp) return { ...status, state: noted.state, lastState: ended, backOffUntil };
  const done = container.kind === "initContainer" && !container.isSidecar && newest.exitCode === 0;
  return { ...status, state: ended, ready: done };
}

function waitingState({ noted, initialReason }: ContainerView): ContainerStatus["state"] {
  return isFailure(noted) ? noted.state : { kind: "waiting", reason: initialReason, message: "" };
}

/** Something went wrong the last time that it was to be started. */
function isFailure({ state }: ContainerStatus): boolean {
  return state.kind === "waiting" && !(isInitial(state.reason) && state.message === "");
}

export function isInitial(reason: string): boolean {
  return reason === "ContainerCreating" || reason === "PodInitializing";
}

function terminated(container: ObservedContainer, lastWords: string): TerminatedState {
  const { exitCode, reason, message, startedAt, finishedAt } = container;
  return {
    kind: "terminated",
    exitCode,
    ...(exitCode > 128 && exitCode < 256 && { signal: exitCode - 128 }),
    reason: reason === "" ? (exitCode === 0 ? "Completed" : "Error") : reason,
    message: lastWords === "" ? message : lastWords,
    startedAt,
    finishedAt,
  };
}
