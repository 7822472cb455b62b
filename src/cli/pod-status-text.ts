/** The words of kubectl's STATUS, READY and RESTARTS columns (k8s pkg/printers/internalversion, `printPod`). */
import type { ContainerStatus, PodStatus, TerminatedState } from "../node/types.ts";

/** Why the pod is where it is: the phase, or what its containers tell more exactly. */
export function podReason(status: PodStatus): string {
  const init = initReason(status);
  if (init !== undefined) return init;
  const [first] = lasting(status).flatMap((container) => containerReason(container) ?? []);
  if (first === undefined) return status.reason ?? status.phase;
  const runs = lasting(status).some(({ state }) => state.kind === "running");
  if (first !== "Completed" || !runs) return first;
  return isReady(status) ? "Running" : "NotReady";
}

export function readyCount({ containers }: PodStatus): string {
  const app = containers.filter(({ kind }) => kind === "container");
  return `${app.filter(({ ready, state }) => ready || state.kind === "prepared").length}/${app.length}`;
}

export function restarts({ containers }: PodStatus): number {
  return containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** When a container was last started again because it had ended, in milliseconds since the epoch. */
export function lastRestart({ containers }: PodStatus): number | undefined {
  const ends = containers.flatMap(({ lastState }) => (lastState === undefined ? [] : [lastState.finishedAt]));
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function isReady({ conditions }: PodStatus): boolean {
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function lasting({ containers }: PodStatus): readonly ContainerStatus[] {
  return containers.filter(({ kind }) => kind === "container");
}

/** `Init:1/2`, `Init:CrashLoopBackOff`: the first init container that the pod still waits for. */
function initReason({ containers }: PodStatus): string | undefined {
  const init = containers.filter(({ kind }) => kind === "initContainer");
  const index = init.findIndex(({ ready, started, state }) => !ready && !started && state.kind !== "prepared");
  const container = init[index];
  if (container === undefined || containers.some((one) => one.kind === "container" && one.containerId))
    return undefined;
  const { state } = container;
  if (state.kind === "terminated") return `Init:${endReason(state)}`;
  const isWaiting = state.kind === "waiting" && state.reason !== "PodInitializing" && state.reason !== "";
  return isWaiting ? `Init:${state.reason}` : `Init:${index}/${init.length}`;
}

function containerReason({ state }: ContainerStatus): string | undefined {
  if (state.kind === "waiting") return state.reason;
  return state.kind === "terminated" ? endReason(state) : undefined;
}

function endReason({ reason, signal, exitCode }: TerminatedState): string {
  if (reason !== "") return reason;
  return signal === undefined ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}
