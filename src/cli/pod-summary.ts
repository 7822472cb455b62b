/** The cells of a pod in `kubectl get pods` (k8s pkg/printers/internalversion/printers.go, `printPod`). */
import type { ContainerStatusObject, PodObject } from "../daemon/index.ts";
import { humanDuration } from "../support/format.ts";

export interface PodSummary {
  /** `1/2` */
  readonly ready: string;
  readonly status: string;
  /** `3 (5m ago)` */
  readonly restarts: string;
}

interface ContainerCounts {
  ready: number;
  restarts: number;
  /** Milliseconds since the epoch; 0 if nothing was started again. */
  lastRestart: number;
  status: string;
}

export function podSummary(pod: PodObject, now: number): PodSummary {
  const { spec, status } = pod;
  const isSidecar = (name: string) =>
    spec.initContainers.some((container) => container.name === name && container.restartPolicy === "Always");
  const total = spec.containers.length + spec.initContainers.filter(({ name }) => isSidecar(name)).length;
  const counts: ContainerCounts = { ready: 0, restarts: 0, lastRestart: 0, status: status.reason ?? status.phase };
  const initializing = tallyInitContainers(pod, counts, isSidecar);
  const initialized = status.conditions.some(
    (condition) => condition.type === "Initialized" && condition.status === "True",
  );
  if (!initializing || initialized) {
    // Init containers that have done their work count no more, those that run beside the others do.
    Object.assign(counts, { restarts: 0, lastRestart: 0 });
    for (const container of status.initContainerStatuses)
      if (isSidecar(container.name)) tallyRestarts(container, counts);
    tallyContainers(pod, counts);
    tallyVolumes(pod, counts);
  }
  const { restarts, lastRestart } = counts;
  const since = restarts > 0 && lastRestart > 0 ? ` (${humanDuration(now - lastRestart)} ago)` : "";
  return { ready: `${counts.ready}/${total}`, status: counts.status, restarts: `${restarts}${since}` };
}

/** Whether the pod is still held up by one of its init containers; then the status says by which. */
function tallyInitContainers(
  { spec, status }: PodObject,
  counts: ContainerCounts,
  isSidecar: (name: string) => boolean,
): boolean {
  for (const [at, container] of status.initContainerStatuses.entries()) {
    tallyRestarts(container, counts);
    const { terminated, waiting, prepared } = container.state;
    if (terminated?.exitCode === 0 || prepared !== undefined) continue;
    if (isSidecar(container.name) && container.started) {
      if (container.ready) counts.ready += 1;
      continue;
    }
    if (terminated !== undefined) counts.status = `Init:${endOf(terminated)}`;
    else if (waiting !== undefined && waiting.reason !== "" && waiting.reason !== "PodInitializing") {
      counts.status = `Init:${waiting.reason}`;
    } else counts.status = `Init:${at}/${spec.initContainers.length}`;
    return true;
  }
  return false;
}

/** Of several containers that have something to say, the first says it. */
function tallyContainers({ status }: PodObject, counts: ContainerCounts): void {
  let somethingRuns = false;
  for (const container of [...status.containerStatuses].reverse()) {
    tallyRestarts(container, counts);
    const { waiting, terminated, running, prepared } = container.state;
    if (waiting !== undefined && waiting.reason !== "") counts.status = waiting.reason;
    else if (terminated !== undefined) counts.status = endOf(terminated);
    else if (prepared !== undefined) counts.ready += 1;
    else if (container.ready && running !== undefined) {
      somethingRuns = true;
      counts.ready += 1;
    }
  }
  if (counts.status !== "Completed" || !somethingRuns) return;
  const ready = status.conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
  counts.status = ready ? "Running" : "NotReady";
}

/** A volume that no container mounts holds up the pod alone: then it says why. */
function tallyVolumes({ status }: PodObject, counts: ContainerCounts): void {
  if (counts.status !== "Pending") return;
  const waiting = status.imageVolumeStatuses.flatMap(({ state }) => state.waiting ?? []);
  counts.status = waiting.find(({ reason }) => reason !== "")?.reason ?? counts.status;
}

function tallyRestarts({ restartCount, lastState }: ContainerStatusObject, counts: ContainerCounts): void {
  counts.restarts += restartCount;
  const ended = Date.parse(lastState.terminated?.finishedAt ?? "");
  if (!Number.isNaN(ended)) counts.lastRestart = Math.max(counts.lastRestart, ended);
}

function endOf({ reason, signal, exitCode }: NonNullable<ContainerStatusObject["state"]["terminated"]>): string {
  if (reason !== "") return reason;
  return signal !== undefined && signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}
