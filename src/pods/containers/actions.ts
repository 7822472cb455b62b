/** What is to be done about a pod, given what there is of it (k8s pkg/kubelet/kuberuntime, `computePodActions`). */
import type { ContainerSpec, PodSpec, RestartPolicy } from "../../workload/index.ts";
import { newestOf, type Observed, type ObservedContainer, readySandbox } from "./observed.ts";

export type PodAction =
  /** A new sandbox is needed; nothing else can be done before. */
  | { readonly kind: "makeSandbox"; readonly attempt: number }
  /** These can start now, in this order; perhaps none, for something that runs has to end first. */
  | { readonly kind: "start"; readonly containers: readonly ContainerSpec[] }
  /** Nothing will run in it any more: what still does is to be stopped. */
  | { readonly kind: "finish" };

export function nextAction(spec: PodSpec, observed: Observed): PodAction {
  const sandbox = readySandbox(observed);
  const app = spec.containers.filter(({ kind }) => kind === "container");
  if (sandbox === undefined) {
    if (isOver(spec, app, observed)) return { kind: "finish" };
    const [newest] = observed.sandboxes;
    return { kind: "makeSandbox", attempt: newest === undefined ? 0 : newest.metadata.attempt + 1 };
  }
  const active = observed.containers.filter((container) => container.sandbox === sandbox.id);
  const here: Observed = { sandboxes: [sandbox], containers: active };
  const debug = spec.containers.filter(({ kind, name }) => kind === "ephemeralContainer" && !newestOf(here, name));
  const init = initAction(spec, here, app);
  if (init === "failed") return { kind: "finish" };
  if (!init.done) return { kind: "start", containers: [...debug, ...init.start] };
  if (app.length > 0 && app.every((container) => hasEnded(container, spec, observed, here))) return { kind: "finish" };
  const start = app.filter((container) => {
    return !hasEnded(container, spec, observed, here) && newestOf(here, container.name)?.state !== "running";
  });
  return { kind: "start", containers: [...debug, ...init.start, ...start] };
}

/** A pod whose sandbox is gone does not get another one if nothing would be started in it. */
function isOver(spec: PodSpec, app: readonly ContainerSpec[], observed: Observed): boolean {
  if (observed.containers.length === 0) return false;
  if (spec.restartPolicy === "Never") return true;
  return (
    app.length > 0 &&
    app.every((container) => {
      const newest = newestOf(observed, container.name);
      return newest !== undefined && !shouldRestart(newest, spec.restartPolicy);
    })
  );
}

/** Whether a container has ended for good; in an earlier sandbox too, unless it would start again there. */
function hasEnded({ name }: ContainerSpec, spec: PodSpec, observed: Observed, here: Observed): boolean {
  const newest = newestOf(here, name) ?? newestOf(observed, name);
  return newest !== undefined && newest.state === "exited" && !shouldRestart(newest, spec.restartPolicy);
}

interface InitAction {
  readonly start: readonly ContainerSpec[];
  /** Whether the pod's containers may start. */
  readonly done: boolean;
}

/**
 * Init containers run to their end one after another; of sidecars the next one only waits until they run. Once a
 * container of the pod was made they are not gone through again, except that sidecars are kept running.
 */
function initAction(spec: PodSpec, here: Observed, app: readonly ContainerSpec[]): InitAction | "failed" {
  const all = spec.containers.filter(({ kind }) => kind === "initContainer");
  const restarts = all.filter((container) => container.isSidecar && sidecarStops(newestOf(here, container.name)));
  if (app.some(({ name }) => newestOf(here, name) !== undefined)) return { start: restarts, done: true };
  // Those before one that was made have done their work, even where nothing is left of them.
  const reached = all.findLastIndex(({ name }) => newestOf(here, name) !== undefined);
  const start: ContainerSpec[] = [];
  for (const [index, container] of all.entries()) {
    const newest = newestOf(here, container.name);
    if (container.isSidecar) {
      if (newest?.state === "running") continue;
      start.push(container);
      if (index < reached) continue;
      return { start, done: false };
    }
    if (newest === undefined && index < reached) continue;
    if (newest?.state === "running") return { start, done: false };
    if (newest?.state === "exited" && newest.exitCode === 0) continue;
    if (newest?.state === "exited" && spec.restartPolicy === "Never") return "failed";
    return { start: [...start, container], done: false };
  }
  return { start, done: true };
}

function sidecarStops(newest: ObservedContainer | undefined): boolean {
  return newest?.state !== "running";
}

/** k8s pkg/kubelet/container/helpers.go, `ShouldContainerBeRestarted`: what never ran or is in an unknown state is started again. */
export function shouldRestart(newest: ObservedContainer, policy: RestartPolicy): boolean {
  switch (newest.state) {
    case "running":
      return false;
    case "created":
    case "unknown":
      return true;
    case "exited":
      return policy === "Always" || (policy === "OnFailure" && newest.exitCode !== 0);
  }
}

/** The policy that holds for one container of the pod. */
export function policyOf(container: ContainerSpec, spec: PodSpec): RestartPolicy {
  if (container.isSidecar) return "Always";
  if (container.kind === "ephemeralContainer") return "Never";
  return container.kind === "initContainer" && spec.restartPolicy === "Always" ? "OnFailure" : spec.restartPolicy;
}
