/** A pod's status as an object of the API. */

import type { ContainerState, ContainerStatus, PodStatus, TerminatedState } from "../../pods/index.ts";
import type { Decision } from "../../policy/index.ts";
import type { ContainerKind, PodContainer } from "../../workload/index.ts";
import type { ContainerObject, ContainerStateObject, ContainerStatusObject, PodObject } from "./objects.ts";
import { apiVersion } from "./version.ts";

/** Seconds are enough, as in Kubernetes. */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

export function podObject(status: PodStatus, nodeName: string): PodObject {
  const { pod, podIP, hostIP, reason, message, createdAt } = status;
  const containersOf = (kind: ContainerKind) =>
    pod.containers.filter((container) => container.kind === kind).map(containerObject);
  const statusesOf = (kind: ContainerKind) =>
    status.containers.filter((container) => container.kind === kind).map(statusObject);
  return {
    apiVersion,
    kind: "Pod",
    metadata: {
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      labels: { ...pod.labels },
      annotations: { ...pod.annotations },
      creationTimestamp: timeText(createdAt),
    },
    spec: {
      nodeName,
      serviceAccountName: pod.serviceAccountName,
      imagePullSecrets: pod.imagePullSecrets.map((name) => ({ name })),
      initContainers: containersOf("initContainer"),
      containers: containersOf("container"),
      ephemeralContainers: containersOf("ephemeralContainer"),
      volumes: pod.imageVolumes.map(({ name, image, pullPolicy }) => ({
        name,
        image: { reference: image, pullPolicy },
      })),
    },
    status: {
      phase: status.phase,
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
      ...(hostIP !== undefined && { hostIP }),
      ...(podIP !== undefined && { podIP }),
      podIPs: podIP === undefined ? [] : [{ ip: podIP }],
      startTime: timeText(createdAt),
      conditions: status.conditions.map((condition) => ({ ...condition })),
      initContainerStatuses: statusesOf("initContainer"),
      containerStatuses: statusesOf("container"),
      ephemeralContainerStatuses: statusesOf("ephemeralContainer"),
      imageVolumeStatuses: status.imageVolumes.map(statusObject),
    },
  };
}

function containerObject({ name, image, pullPolicy, restartPolicy }: PodContainer): ContainerObject {
  return { name, image, imagePullPolicy: pullPolicy, ...(restartPolicy !== undefined && { restartPolicy }) };
}

function statusObject(status: ContainerStatus): ContainerStatusObject {
  const { name, image, imageId, containerId, ready, started, restartCount, state, lastState, backOffUntil } = status;
  return {
    name,
    image,
    imageID: imageId ?? "",
    ...(containerId !== undefined && { containerID: containerId }),
    ready,
    started,
    restartCount,
    state: stateObject(state),
    lastState: lastState === undefined ? {} : stateObject(lastState),
    ...(status.decision !== undefined && { decision: decisionObject(status.decision) }),
    ...(backOffUntil !== undefined && { backOffUntil: timeText(backOffUntil) }),
    ...(state.kind === "waiting" && state.advice !== undefined && { advice: state.advice }),
  };
}

function stateObject(state: ContainerState): ContainerStateObject {
  switch (state.kind) {
    case "waiting":
      return { waiting: { reason: state.reason, ...(state.message !== "" && { message: state.message }) } };
    case "prepared":
      return { prepared: {} };
    case "running":
      return { running: { startedAt: timeText(state.startedAt) } };
    case "terminated":
      return { terminated: terminatedObject(state) };
  }
}

function terminatedObject(state: TerminatedState): NonNullable<ContainerStateObject["terminated"]> {
  const { exitCode, signal, reason, message, startedAt, finishedAt } = state;
  return {
    exitCode,
    ...(signal !== undefined && { signal }),
    reason,
    ...(message !== "" && { message }),
    ...(startedAt > 0 && { startedAt: timeText(startedAt) }),
    ...(finishedAt > 0 && { finishedAt: timeText(finishedAt) }),
  };
}

function decisionObject(decision: Decision): NonNullable<ContainerStatusObject["decision"]> {
  const { action, message, pullPolicy, trace, trial } = decision;
  return {
    action,
    ...(decision.action === "Refuse" && { reason: decision.reason }),
    message,
    pullPolicy: { ...pullPolicy },
    trace: trace.map((step) => ({ ...step })),
    ...(trial.warnings.length > 0 && { warnings: trial.warnings.map((warning) => ({ ...warning })) }),
  };
}
