/** What a pod's status is, given what the runtime has of it and what is known of its images. */
import type { ContainerSpec, PodContainer, PodSpec } from "../../workload/index.ts";
import type { ContainerStatus, PodCondition, PodStatus, TerminatedState } from "../types.ts";
import { policyOf, shouldRestart } from "./actions.ts";
import { newestOf, type Observed, type ObservedContainer, previousOf, readySandbox } from "./observed.ts";
import { relistPeriod } from "./pleg.ts";
import type { HostInfo, PodInput } from "./types.ts";

export interface PodView {
  readonly input: PodInput;
  readonly observed: Observed;
  /** What is known of a container's or image volume's image, and of why it does not run. */
  readonly noted: (container: PodContainer) => ContainerStatus;
  readonly holdsUp: (status: ContainerStatus) => boolean;
  /** Termination messages by container id. */
  readonly lastWords: ReadonlyMap<string, string>;
  readonly runtimeName: string;
  readonly createdAt: number;
  /** No sync of the pod is under way. */
  readonly resting: boolean;
  /** It ran longer than it may. */
  readonly expired: boolean;
  readonly host: HostInfo;
  readonly now: number;
}

export function podStatusOf(view: PodView): PodStatus {
  const { input, observed, createdAt, host, expired, noted } = view;
  const { pod, spec } = input;
  const all = statesOf(view);
  const phase = expired ? "Failed" : phaseOf(spec, all);
  const sandbox = readySandbox(observed);
  const podIP = spec.hostNetwork ? sandbox && host.ip : sandbox?.ips[0];
  return {
    pod,
    phase,
    ...(expired && {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    }),
    ...(podIP !== undefined && { podIP }),
    hostIP: host.ip,
    containers: all.map(({ status }) => status),
    imageVolumes: pod.imageVolumes.map(noted),
    conditions: conditionsOf(phase, all, sandbox !== undefined),
    settled: isSettled(view, phase, all),
    createdAt,
  };
}

function statesOf({ input, observed, noted, lastWords, runtimeName }: PodView): readonly ContainerWithStatus[] {
  const { pod, spec } = input;
  const hasInit = spec.containers.some(({ kind }) => kind === "initContainer");
  const initialReason = hasInit ? "PodInitializing" : "ContainerCreating";
  return spec.containers.flatMap((container) => {
    const own = pod.containers.find(({ name, kind }) => name === container.name && kind === container.kind);
    if (own === undefined) return [];
    const words = ({ id }: { readonly id: string }) => lastWords.get(id) ?? "";
    const view = { spec, container, observed, runtimeName, initialReason, noted: noted(own), lastWords: words };
    return [{ container, status: containerStatus(view) }];
  });
}

/**
 * Nothing more will happen by itself. A pod that is always restarted is there when its containers have been running for
 * a while; others are at their end, or in a back-off.
 */
function isSettled(view: PodView, phase: Phase, all: readonly ContainerWithStatus[]): boolean {
  if (!view.resting) return false;
  if (phase === "Succeeded" || phase === "Failed") return true;
  const volumes = view.input.pod.imageVolumes.map(view.noted);
  if ([...volumes, ...all.map(({ status }) => status)].some(view.holdsUp)) return false;
  return all.every((stated) => isAtRest(stated, view));
}

function isAtRest({ container, status }: ContainerWithStatus, { input: { spec }, observed, now }: PodView): boolean {
  const { state } = status;
  switch (state.kind) {
    case "running": {
      const lasts = container.kind !== "initContainer" || container.isSidecar;
      return lasts && spec.restartPolicy === "Always" && now - state.startedAt >= relistPeriod;
    }
    case "terminated": {
      const newest = newestOf(observed, container.name);
      return newest === undefined || !shouldRestart(newest, policyOf(container, spec));
    }
    case "waiting":
    case "prepared":
      return true;
  }
}

// How a container's state follows from what the runtime has of it (k8s pkg/kubelet/kubelet_pods.go, `convertToAPIContainerStatuses`).

interface ContainerView {
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

function containerStatus(view: ContainerView): ContainerStatus {
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

function isInitial(reason: string): boolean {
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

// A pod's phase and conditions (k8s pkg/kubelet/kubelet_pods.go, `getPhase`; pkg/kubelet/status/generate.go).

type Phase = Exclude<PodStatus["phase"], "Prepared">;

/** A container with its state. */
interface ContainerWithStatus {
  readonly container: ContainerSpec;
  readonly status: ContainerStatus;
}

function phaseOf({ restartPolicy }: PodSpec, all: readonly ContainerWithStatus[]): Phase {
  const init = all.filter(({ container }) => container.kind === "initContainer");
  const app = all.filter(({ container }) => container.kind === "container");
  const steps = init.filter(({ container }) => !container.isSidecar);
  if (restartPolicy === "Never" && steps.some(({ status }) => endOf(status, true) === "failed")) return "Failed";
  const hasBegun = app.some(({ status }) => status.containerId !== undefined);
  if (!hasBegun && init.some((stated) => isPending(stated))) return "Pending";
  const ends = app.map(({ status }) => endOf(status, true));
  if (ends.includes("waiting")) return "Pending";
  if (ends.includes("running")) return "Running";
  if (app.some(({ status }) => endOf(status, false) === "waiting") || restartPolicy === "Always") return "Running";
  if (ends.every((end) => end === "succeeded")) return "Succeeded";
  return restartPolicy === "Never" ? "Failed" : "Running";
}

type End = "waiting" | "running" | "succeeded" | "failed";

/** @param looksBack whether one that waits to be started again counts as one that has ended */
function endOf({ state, lastState }: ContainerStatus, looksBack: boolean): End {
  if (state.kind === "running") return "running";
  const ended = state.kind === "terminated" ? state : looksBack ? lastState : undefined;
  if (ended === undefined) return "waiting";
  return ended.exitCode === 0 ? "succeeded" : "failed";
}

function isPending({ container, status }: ContainerWithStatus): boolean {
  if (container.isSidecar) return !status.started && status.lastState === undefined;
  return !status.ready;
}

/** @param hasSandbox whether the pod has a sandbox that containers can be started in */
function conditionsOf(phase: Phase, all: readonly ContainerWithStatus[], hasSandbox: boolean): readonly PodCondition[] {
  const incomplete = names(all.filter((stated) => stated.container.kind === "initContainer" && isIncomplete(stated)));
  const isBegun = all.some(
    ({ container, status }) => container.kind === "container" && status.state.kind === "running",
  );
  const ready = readiness(phase, all);
  return [
    { type: "PodScheduled", status: "True" },
    { type: "PodReadyToStartContainers", status: hasSandbox ? "True" : "False" },
    initialized(phase, isBegun ? [] : incomplete),
    { type: "ContainersReady", ...ready },
    { type: "Ready", ...ready },
  ];
}

function isIncomplete({ container, status }: ContainerWithStatus): boolean {
  return container.isSidecar ? !status.started : !status.ready;
}

function initialized(phase: Phase, incomplete: readonly string[]): PodCondition {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  if (incomplete.length === 0) return { type: "Initialized", status: "True" };
  const message = `containers with incomplete status: [${incomplete.join(" ")}]`;
  return { type: "Initialized", status: "False", reason: "ContainersNotInitialized", message };
}

function readiness(phase: Phase, all: readonly ContainerWithStatus[]): Omit<PodCondition, "type"> {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const lasting = all.filter(({ container }) => container.kind === "container" || container.isSidecar);
  const unready = names(lasting.filter(({ status }) => !status.ready));
  if (unready.length === 0) return { status: "True" };
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

function names(all: readonly ContainerWithStatus[]): readonly string[] {
  return all.map(({ container }) => container.name);
}
