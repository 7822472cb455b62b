/** Finds the file of a container's log, or why there is none, with the kubelet's messages. */
import { dirname, join } from "node:path";
import type { ContainerStatus, PodStatus } from "../../pods/index.ts";

export type FoundLog =
  | { readonly path: string; readonly running: boolean }
  /** k8s pkg/kubelet/kubelet_pods.go, `validateContainerLogStatus`. */
  | { readonly problem: string };

export function findLog({ pod, containers }: PodStatus, name: string, previous: boolean): FoundLog {
  const container = containers.find((one) => one.name === name);
  if (container === undefined) return { problem: `container ${name} is not valid for pod ${pod.name}` };
  const { state, lastState, logPath, restartCount } = container;
  const what = `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod.name)}`;
  if (previous) {
    if (logPath === undefined || restartCount === 0) return { problem: `previous terminated ${what} not found` };
    return { path: join(dirname(logPath), `${restartCount - 1}.log`), running: false };
  }
  if (logPath !== undefined && (state.kind !== "waiting" || lastState !== undefined)) {
    return { path: logPath, running: state.kind === "running" };
  }
  return { problem: `${what} is waiting to start: ${whyWaiting(container)}` };
}

function whyWaiting({ state }: ContainerStatus): string {
  if (state.kind !== "waiting") return "there is no container runtime to start it";
  switch (state.reason) {
    case "ErrImagePull":
      return "image can't be pulled";
    case "ImagePullBackOff":
      return "trying and failing to pull image";
    default:
      return state.reason;
  }
}
