/** Converts CRI messages to the types of `pods`. Times of the runtime are in nanoseconds. */
import type { ListedContainer, RuntimeContainer, RuntimeImageUser, Sandbox, SandboxStatus } from "../../pods/index.ts";
import {
  type Container,
  ContainerState,
  type ContainerStatusResponse,
  type Image,
  type PodSandbox,
  PodSandboxState,
  type PodSandboxStatusResponse,
} from "../api/runtime/v1/api_pb.js";

export function sandboxOf(
  sandbox: Pick<PodSandbox, "id" | "metadata" | "state" | "createdAt" | "labels" | "annotations">,
): Sandbox {
  const { id, metadata, state, createdAt, labels, annotations } = sandbox;
  const { name = "", namespace = "", uid = "", attempt = 0 } = metadata ?? {};
  const ready = state === PodSandboxState.SANDBOX_READY;
  return {
    id,
    metadata: { name, namespace, uid, attempt },
    ready,
    createdAt: milliseconds(createdAt),
    labels,
    annotations,
  };
}

export function sandboxStatusOf({ status }: PodSandboxStatusResponse): SandboxStatus | undefined {
  if (status === undefined) return undefined;
  const { ip = "", additionalIps = [] } = status.network ?? {};
  const ips = [ip, ...additionalIps.map((one) => one.ip)].filter((text) => text !== "");
  return { ...sandboxOf(status), ips };
}

export function listedContainer(container: Container): ListedContainer {
  const { id, podSandboxId, metadata, createdAt, labels, annotations } = container;
  return {
    id,
    sandbox: podSandboxId,
    name: metadata?.name ?? "",
    attempt: metadata?.attempt ?? 0,
    state: stateOf(container.state),
    createdAt: milliseconds(createdAt),
    labels,
    annotations,
  };
}

export function containerOf({ status }: ContainerStatusResponse): RuntimeContainer | undefined {
  if (status === undefined) return undefined;
  const { id, metadata, labels, annotations, exitCode, reason, message, logPath } = status;
  return {
    id,
    labels,
    annotations,
    exitCode,
    reason,
    message,
    logPath,
    name: metadata?.name ?? "",
    attempt: metadata?.attempt ?? 0,
    state: stateOf(status.state),
    createdAt: milliseconds(status.createdAt),
    startedAt: milliseconds(status.startedAt),
    finishedAt: milliseconds(status.finishedAt),
  };
}

export function userOf({ uid, username }: Image): RuntimeImageUser {
  return { uid: uid === undefined ? undefined : Number(uid.value), username };
}

function stateOf(state: ContainerState): ListedContainer["state"] {
  switch (state) {
    case ContainerState.CONTAINER_CREATED:
      return "created";
    case ContainerState.CONTAINER_RUNNING:
      return "running";
    case ContainerState.CONTAINER_EXITED:
      return "exited";
    default:
      return "unknown";
  }
}

/** containerd gives what never happened the zero time of Go, which is negative. */
function milliseconds(nanoseconds: bigint): number {
  return nanoseconds > 0n ? Number(nanoseconds / 1_000_000n) : 0;
}
