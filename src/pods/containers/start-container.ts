/** Starts one container: image, environment, creation, start (k8s pkg/kubelet/kuberuntime, `startContainer`). */

import { type Failure, failureOf, type RecordEvent } from "../../pull/index.ts";
import { errorText, isPulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { type ContainerSpec, environmentOf, type PodFacts } from "../../workload/index.ts";
import type { RuntimeContainerConfig, SandboxConfig } from "../container-runtime.ts";
import { containerConfig } from "./configs.ts";
import { podText } from "./labels.ts";
import { mustNotBeRoot, rootProblem } from "./security.ts";
import type { ContainersOptions, PodInput } from "./types.ts";

export interface StartRequest {
  readonly input: PodInput;
  readonly facts: PodFacts;
  readonly container: ContainerSpec;
  readonly attempt: number;
  readonly image: RuntimeContainerConfig["image"];
  readonly imageVolumes: ReadonlyMap<string, RuntimeContainerConfig["image"]>;
  readonly sandbox: { readonly id: string; readonly config: SandboxConfig };
  readonly record: RecordEvent;
}

/** Why the container does not run; `undefined` if it does. @throws PulleyError `RUNTIME_UNREACHABLE` */
export async function startContainer(request: StartRequest, options: ContainersOptions): Promise<Failure | undefined> {
  const { sandbox, record } = request;
  const { runtime } = options;
  const config = await configOf(request, options);
  if (typeof config === "string") return failed(request, "CreateContainerConfigError", config);
  let id: string;
  try {
    id = await runtime.createContainer(sandbox.id, config, sandbox.config);
  } catch (error) {
    return failed(request, "CreateContainerError", withReason(runtimeText(error), config));
  }
  record("Normal", "Created", "Container created");
  try {
    await runtime.startContainer(id);
  } catch (error) {
    return failed(request, "RunContainerError", runtimeText(error));
  }
  record("Normal", "Started", "Container started");
  return undefined;
}

function failed({ record }: StartRequest, reason: string, message: string): Failure {
  record("Warning", "Failed", `Error: ${message}`);
  return failureOf(reason, message);
}

/** The container's configuration, or why there is none. */
async function configOf(
  { input, facts, container, attempt, image, imageVolumes }: StartRequest,
  options: ContainersOptions,
): Promise<RuntimeContainerConfig | string> {
  const { pod, spec } = input;
  if (mustNotBeRoot(spec, container)) {
    const problem = rootProblem(spec, container, await options.runtime.imageUser(image.id), podText(pod));
    if (problem !== undefined) return problem;
  }
  const environment = environmentOf(container, facts);
  if ("problem" in environment) return environment.problem;
  const { variables } = environment;
  try {
    return await containerConfig({ input, facts, container, attempt, image, variables, imageVolumes }, options);
  } catch (error) {
    return `failed to prepare the mounts of container ${quote(container.name)}: ${errorText(error)}`;
  }
}

/** A runtime that does not know of mounted images takes them for a folder of the machine that has no path. */
function withReason(said: string, { mounts }: RuntimeContainerConfig): string {
  const mountsImages = mounts.some(({ from }) => from.kind === "image");
  if (!mountsImages || !said.includes('failed to mkdir ""')) return said;
  return `the runtime cannot mount images, as containerd does from 2.1 on: ${said}`;
}

/** The runtime's message. A runtime that cannot be reached is no failure of the container. */
export function runtimeText(error: unknown): string {
  if (!isPulleyError(error, "RUNTIME_FAILED")) throw error;
  const { cause } = error;
  const said = cause instanceof Error && "details" in cause ? cause.details : undefined;
  return typeof said === "string" && said !== "" ? said : error.message;
}
