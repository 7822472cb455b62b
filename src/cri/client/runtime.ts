/** A container runtime behind a CRI socket. */

import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type {
  ContainerRuntime,
  Labels,
  ListedContainer,
  RuntimeContainer,
  RuntimeImageUser,
  Sandbox,
  SandboxStatus,
} from "../../pods/index.ts";
import { type Channel, openChannel, statusOf } from "../../support/grpc/client.ts";
import {
  CgroupDriver,
  type Container,
  ContainerState,
  type ContainerStatusResponse,
  type Image,
  ImageService,
  type PodSandbox,
  PodSandboxState,
  type PodSandboxStatusResponse,
  RuntimeService,
} from "../api/runtime/v1/api_pb.js";
import { observed, type RuntimeOperation } from "../operations.ts";
import { containerMessage, sandboxMessage } from "./configs.ts";
import { requestTimeout } from "./request-timeout.ts";

export interface RuntimeConnection extends ContainerRuntime {
  close(): void;
}

export interface RuntimeOptions {
  /** Called after each call. */
  readonly onOperation?: ((operation: RuntimeOperation) => void) | undefined;
}

/** @param socket path of the runtime's unix socket */
export function connectRuntime(socket: string, options: RuntimeOptions = {}): RuntimeConnection {
  return runtimeOn(openChannel(socket), options);
}

export function runtimeOn(channel: Channel, { onOperation }: RuntimeOptions = {}): RuntimeConnection {
  function call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    timeout = requestTimeout,
  ): Promise<MessageShape<Output>> {
    return observed(method.name, () => channel.unary(method, request, { timeout }), { onOperation });
  }
  let parent: Promise<string> | undefined;
  const cgroupParent = () => {
    parent ??= cgroupParentOf(channel).catch((error: unknown) => {
      parent = undefined;
      throw error;
    });
    return parent;
  };
  const { method: runtime } = RuntimeService;
  const { method: images } = ImageService;

  return {
    version: async () => {
      const { runtimeName, runtimeVersion } = await call(runtime.version, {});
      return { name: runtimeName, version: runtimeVersion };
    },
    status: async () => {
      const { status } = await call(runtime.status, {});
      const conditions = status?.conditions ?? [];
      return conditions
        .filter((condition) => !condition.status)
        .map(({ type, reason, message }) => ({ type, reason, message }));
    },
    runPodSandbox: async (config) => {
      const request = { config: sandboxMessage(config, await cgroupParent()) };
      return (await call(runtime.runPodSandbox, request, 2 * requestTimeout)).podSandboxId;
    },
    stopPodSandbox: (id) => unlessAbsent(call(runtime.stopPodSandbox, { podSandboxId: id }), undefined),
    removePodSandbox: (id) => unlessAbsent(call(runtime.removePodSandbox, { podSandboxId: id }), undefined),
    podSandboxStatus: (id) => unlessAbsent(call(runtime.podSandboxStatus, { podSandboxId: id }), sandboxStatusOf),
    listPodSandboxes: async (labels) => {
      const { items } = await call(runtime.listPodSandbox, { filter: filterOf(labels) });
      return items.map(sandboxOf);
    },
    createContainer: async (sandbox, config, sandboxConfig) => {
      const answer = await call(runtime.createContainer, {
        podSandboxId: sandbox,
        config: containerMessage(config),
        sandboxConfig: sandboxMessage(sandboxConfig, await cgroupParent()),
      });
      return answer.containerId;
    },
    startContainer: async (id) => {
      await call(runtime.startContainer, { containerId: id });
    },
    stopContainer: (id, graceSeconds) => {
      const request = { containerId: id, timeout: BigInt(graceSeconds) };
      return unlessAbsent(call(runtime.stopContainer, request, requestTimeout + graceSeconds * 1000), undefined);
    },
    removeContainer: (id) => unlessAbsent(call(runtime.removeContainer, { containerId: id }), undefined),
    containerStatus: (id) => unlessAbsent(call(runtime.containerStatus, { containerId: id }), containerOf),
    listContainers: async (labels) => {
      const { containers } = await call(runtime.listContainers, { filter: filterOf(labels) });
      return containers.map(listedContainer);
    },
    reopenContainerLog: async (id) => {
      await call(runtime.reopenContainerLog, { containerId: id });
    },
    imageUser: async (image) => {
      const { image: found } = await call(images.imageStatus, { image: { image } });
      return found && userOf(found);
    },
    close: () => channel.close(),
  };
}

function filterOf(labels: Labels): { readonly labelSelector: Record<string, string> } {
  return { labelSelector: { ...labels } };
}

/** What is not there needs no stopping and has no status (k8s pkg/kubelet: `IsNotFound` is tolerated). */
async function unlessAbsent<Answer>(answer: Promise<Answer>, read: undefined): Promise<void>;
async function unlessAbsent<Answer, Reading>(
  answer: Promise<Answer>,
  read: (answer: Answer) => Reading,
): Promise<Reading | undefined>;
async function unlessAbsent<Answer, Reading>(
  answer: Promise<Answer>,
  read: ((answer: Answer) => Reading) | undefined,
): Promise<Reading | undefined> {
  try {
    const answered = await answer;
    return read?.(answered);
  } catch (error) {
    if (statusOf(error) === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** UTF-16 code units of the configuration in a runtime's status. */
const longestConfiguration = 1024 * 1024;

/** The part of containerd's configuration that says how runc is to deal with cgroups, as its status tells it. */
const configurationShape = z.object({
  containerd: z.object({
    defaultRuntimeName: z.string(),
    runtimes: z.record(
      z.string(),
      z.object({ options: z.object({ SystemdCgroup: z.boolean().optional() }).nullish() }),
    ),
  }),
});

/**
 * The cgroup below which sandboxes are put: the runtime's own choice, except under systemd, where runc takes nothing but
 * a slice (k8s pkg/kubelet/cm/cgroup_manager_linux.go).
 */
export async function cgroupParentOf(channel: Channel): Promise<string> {
  return (await usesSystemd(channel)) ? "pulley.slice" : "";
}

async function usesSystemd(channel: Channel): Promise<boolean> {
  const { method } = RuntimeService;
  try {
    const { linux } = await channel.unary(method.runtimeConfig, {}, { timeout: requestTimeout });
    if (linux !== undefined) return linux.cgroupDriver === CgroupDriver.SYSTEMD;
  } catch (error) {
    // Older than this call (containerd before 2.0).
    if (statusOf(error) !== "UNIMPLEMENTED") throw error;
  }
  const { info } = await channel.unary(method.status, { verbose: true }, { timeout: requestTimeout });
  return saysSystemd(info["config"] ?? "");
}

/** Other runtimes write other things there. */
function saysSystemd(text: string): boolean {
  if (text.length > longestConfiguration) return false;
  try {
    const { defaultRuntimeName, runtimes } = configurationShape.parse(JSON.parse(text)).containerd;
    return runtimes[defaultRuntimeName]?.options?.SystemdCgroup === true;
  } catch {
    return false;
  }
}

// Converts CRI messages to the types of `pods`. Times of the runtime are in nanoseconds.

function sandboxOf(
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

function sandboxStatusOf({ status }: PodSandboxStatusResponse): SandboxStatus | undefined {
  if (status === undefined) return undefined;
  const { ip = "", additionalIps = [] } = status.network ?? {};
  const ips = [ip, ...additionalIps.map((one) => one.ip)].filter((text) => text !== "");
  return { ...sandboxOf(status), ips };
}

function listedContainer(container: Container): ListedContainer {
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

function containerOf({ status }: ContainerStatusResponse): RuntimeContainer | undefined {
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

function userOf({ uid, username }: Image): RuntimeImageUser {
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
