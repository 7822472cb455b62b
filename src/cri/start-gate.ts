/**
 * Checks the calls that create containers against the policy, on their way to the runtime. What is allowed is passed on as it
 * came, byte for byte; a sandbox names no image of its own, so RunPodSandbox is not among them.
 */

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { readImageName } from "../image/index.ts";
import type { RefusedStart, Start, StartAuthorizer } from "../pull/index.ts";
import type { Channel } from "../support/grpc/client.ts";
import {
  type ContainerConfig,
  CreateContainerRequestSchema,
  type ImageSpec,
  RestorePodRequestSchema,
  RuntimeService,
} from "./api/runtime/v1/api_pb.js";
import type { Method, Onward } from "./grpc/methods.ts";
import { CallFailure } from "./grpc/status.ts";
import { podOfSandbox, type SandboxFacts } from "./images/pod-of-sandbox.ts";
import { type OperationListener, observedMethod } from "./operations.ts";

export interface StartGateOptions {
  readonly authorizer: Pick<StartAuthorizer, "authorize">;
  /** Whether the policy has rules; without, everything is passed on unread. */
  readonly hasRules: () => boolean;
  /** The runtime, for the labels of its sandboxes. */
  readonly runtime: Pick<Channel, "unary">;
  /** Called with a sentence for each new refusal. */
  readonly warn: (message: string) => void;
  /** Passes an allowed call on. */
  readonly onward: Onward;
  /** Gets each call that was refused. */
  readonly listener: OperationListener;
}

/** The method that checks a call, by its path; `undefined` for what is passed on unread. */
export type StartGate = (path: string) => Method | undefined;

/** Version v1alpha2 of the runtime service has the same messages (k8s cri-api). */
const services = [RuntimeService.typeName, "runtime.v1alpha2.RuntimeService"];

/** Most refusals that are remembered as reported. */
const mostReported = 1000;

/** Image volumes that cannot be mounted are known to the kubelet by this word (k8s cri-api pkg/errors). */
const volumeFailure = "ImageVolumeMountFailed";

export function createStartGate({
  authorizer,
  hasRules,
  runtime,
  warn,
  onward,
  listener,
}: StartGateOptions): StartGate {
  const { createContainer, restorePod, podSandboxStatus } = RuntimeService.method;
  const paths = new Map<string, Method>(
    [createContainer, restorePod].flatMap(({ name }) => {
      const method: Method = { kind: "checked", check: (request, { signal }) => check(name, request, signal), onward };
      return services.map((service) => [`/${service}/${name}`, observedMethod(name, method, listener)] as const);
    }),
  );
  const reported = new Set<string>();

  async function startsIn(call: string, bytes: Uint8Array, signal: AbortSignal): Promise<readonly Start[]> {
    if (call === createContainer.name) {
      const { config, sandboxConfig, podSandboxId } = read(CreateContainerRequestSchema, bytes);
      return startsOf(config, sandboxConfig?.metadata ? sandboxConfig : await sandboxOf(podSandboxId, signal));
    }
    const { config, containerConfigs } = read(RestorePodRequestSchema, bytes);
    const starts = containerConfigs.flatMap((container) => startsOf(container, config));
    if (starts.length > 0) return starts;
    throw new CallFailure("PERMISSION_DENIED", "the pod is to be restored from images that the request does not name");
  }

  /** A caller need not repeat whose sandbox it is. */
  async function sandboxOf(podSandboxId: string, signal: AbortSignal): Promise<SandboxFacts | undefined> {
    return (await runtime.unary(podSandboxStatus, { podSandboxId }, { signal })).status;
  }

  /** A caller tries again and again; the same refusal is reported once. */
  function reportOnce({ start: { pod, container }, refusal }: RefusedStart): void {
    const text = `${pod.namespace}/${pod.name}: ${refusal.message}`;
    const key = JSON.stringify([pod.uid, container.kind, container.name, text]);
    if (reported.has(key)) return;
    const [oldest] = reported;
    if (reported.size >= mostReported && oldest !== undefined) reported.delete(oldest);
    reported.add(key);
    warn(text);
  }

  async function check(call: string, request: Uint8Array, signal: AbortSignal): Promise<void> {
    const refused = await authorizer.authorize(await startsIn(call, request, signal));
    if (refused === undefined) return;
    reportOnce(refused);
    const { start, refusal } = refused;
    const ofVolume = start.container.kind === "imageVolume";
    const message = ofVolume ? `${volumeFailure}: ${refusal.message}` : refusal.message;
    throw new CallFailure("PERMISSION_DENIED", message);
  }

  return (path) => (hasRules() ? paths.get(path) : undefined);
}

function read<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    throw new CallFailure("INVALID_ARGUMENT", `the request is no ${desc.typeName}`, { cause: error });
  }
}

/**
 * The container's own image, and those of the image volumes that it mounts. The kubelet tells an image's id, and beside it
 * the name that was written (since 1.28). It does not tell the pull policy, which it has heeded: the copy is to be used
 * as it is, so here that is `IfNotPresent`. Nor does it tell the name of an image volume.
 */
function startsOf(config: ContainerConfig | undefined, sandbox: SandboxFacts | undefined): readonly Start[] {
  if (config === undefined) return [];
  const { image, mounts, metadata } = config;
  const own = startOf(image, sandbox, { container: metadata?.name ?? "", kind: "container" });
  const volumes = mounts.flatMap((mount) => startOf(mount.image, sandbox, { kind: "imageVolume" }));
  return [...own, ...volumes];
}

function startOf(
  spec: ImageSpec | undefined,
  sandbox: SandboxFacts | undefined,
  more: NonNullable<Parameters<typeof podOfSandbox>[2]>,
): readonly Start[] {
  if (spec === undefined || spec.image === "") return [];
  const written = spec.userSpecifiedImage || spec.image;
  const pod = podOfSandbox(readImageName(written), sandbox, { ...more, pullPolicy: "IfNotPresent" });
  const [container] = pod.containers;
  return [{ pod, container, copy: spec.image }];
}
