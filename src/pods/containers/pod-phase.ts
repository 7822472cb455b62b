/** A pod's phase and conditions (k8s pkg/kubelet/kubelet_pods.go, `getPhase`; pkg/kubelet/status/generate.go). */
import type { ContainerSpec, PodSpec } from "../../workload/index.ts";
import type { ContainerStatus, PodCondition, PodStatus } from "../types.ts";

export type Phase = Exclude<PodStatus["phase"], "Prepared">;

/** A container with its state. */
export interface ContainerWithStatus {
  readonly container: ContainerSpec;
  readonly status: ContainerStatus;
}

export function phaseOf({ restartPolicy }: PodSpec, all: readonly ContainerWithStatus[]): Phase {
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
export function conditionsOf(
  phase: Phase,
  all: readonly ContainerWithStatus[],
  hasSandbox: boolean,
): readonly PodCondition[] {
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
