/** What a pod's status is, given what the runtime has of it and what is known of its images. */
import type { PodContainer } from "../../workload/index.ts";
import type { ContainerStatus, PodStatus } from "../types.ts";
import { policyOf, shouldRestart } from "./actions.ts";
import { containerStatus } from "./container-state.ts";
import { newestOf, type Observed, readySandbox } from "./observed.ts";
import { relistPeriod } from "./pleg.ts";
import { type ContainerWithStatus, conditionsOf, type Phase, phaseOf } from "./pod-phase.ts";
import type { HostInfo, PodInput } from "./types.ts";

export interface PodView {
  readonly input: PodInput;
  readonly observed: Observed;
  /** What is known of a container's or image volume's image, and of why it does not run. */
  readonly noted: (container: PodContainer) => ContainerStatus;
  readonly holdsUp: (status: ContainerStatus) => boolean;
  /** Termination messages by container id. */
  readonly lastWords: ReadonlyMap<string, string>;
  readonly runtimeName: string;
  readonly createdAt: number;
  /** No sync of the pod is under way. */
  readonly resting: boolean;
  /** It ran longer than it may. */
  readonly expired: boolean;
  readonly host: HostInfo;
  readonly now: number;
}

export function podStatusOf(view: PodView): PodStatus {
  const { input, observed, createdAt, host, expired, noted } = view;
  const { pod, spec } = input;
  const all = statesOf(view);
  const phase = expired ? "Failed" : phaseOf(spec, all);
  const sandbox = readySandbox(observed);
  const podIP = spec.hostNetwork ? sandbox && host.ip : sandbox?.ips[0];
  return {
    pod,
    phase,
    ...(expired && {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    }),
    ...(podIP !== undefined && { podIP }),
    hostIP: host.ip,
    containers: all.map(({ status }) => status),
    imageVolumes: pod.imageVolumes.map(noted),
    conditions: conditionsOf(phase, all, sandbox !== undefined),
    settled: isSettled(view, phase, all),
    createdAt,
  };
}

function statesOf({ input, observed, noted, lastWords, runtimeName }: PodView): readonly ContainerWithStatus[] {
  const { pod, spec } = input;
  const hasInit = spec.containers.some(({ kind }) => kind === "initContainer");
  const initialReason = hasInit ? "PodInitializing" : "ContainerCreating";
  return spec.containers.flatMap((container) => {
    const own = pod.containers.find(({ name, kind }) => name === container.name && kind === container.kind);
    if (own === undefined) return [];
    const words = ({ id }: { readonly id: string }) => lastWords.get(id) ?? "";
    const view = { spec, container, observed, runtimeName, initialReason, noted: noted(own), lastWords: words };
    return [{ container, status: containerStatus(view) }];
  });
}

/**
 * Nothing more will happen by itself. A pod that is always restarted is there when its containers have been running for
 * a while; others are at their end, or in a back-off.
 */
function isSettled(view: PodView, phase: Phase, all: readonly ContainerWithStatus[]): boolean {
  if (!view.resting) return false;
  if (phase === "Succeeded" || phase === "Failed") return true;
  const volumes = view.input.pod.imageVolumes.map(view.noted);
  if ([...volumes, ...all.map(({ status }) => status)].some(view.holdsUp)) return false;
  return all.every((stated) => isAtRest(stated, view));
}

function isAtRest({ container, status }: ContainerWithStatus, { input: { spec }, observed, now }: PodView): boolean {
  const { state } = status;
  switch (state.kind) {
    case "running": {
      const lasts = container.kind !== "initContainer" || container.isSidecar;
      return lasts && spec.restartPolicy === "Always" && now - state.startedAt >= relistPeriod;
    }
    case "terminated": {
      const newest = newestOf(observed, container.name);
      return newest === undefined || !shouldRestart(newest, policyOf(container, spec));
    }
    case "waiting":
    case "prepared":
      return true;
  }
}
