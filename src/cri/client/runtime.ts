/** A container runtime behind a CRI socket. */

import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ContainerRuntime, Labels } from "../../pods/index.ts";
import { type Channel, openChannel, statusOf } from "../../support/grpc/client.ts";
import { ImageService, RuntimeService } from "../api/runtime/v1/api_pb.js";
import type { RuntimeOperation } from "../operations.ts";
import { observed } from "../operations.ts";
import { cgroupParentOf } from "./cgroups.ts";
import { containerMessage, sandboxMessage } from "./configs.ts";
import { containerOf, listedContainer, sandboxOf, sandboxStatusOf, userOf } from "./conversions.ts";
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
