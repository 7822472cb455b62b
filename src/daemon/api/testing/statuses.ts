import type { ContainerStatus, PodStatus } from "../../../pods/index.ts";
import { podOf } from "../../../pull/testing/pods.ts";
import type { ContainerKind, Pod } from "../../../workload/index.ts";

export interface StatusGiven extends Partial<Omit<PodStatus, "pod" | "containers">> {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containers: readonly (Partial<ContainerStatus> & { readonly restartPolicy?: "Always" })[];
}

/** A pod's status as a test wants it; what it does not say is as for a container that waits for its image. */
export function statusOf(given: StatusGiven): PodStatus {
  const { name = "web", namespace = "default", labels = {}, annotations = {}, containers, ...rest } = given;
  const statuses = containers.map((container): ContainerStatus => {
    const { restartPolicy: _, ...own } = container;
    return {
      name: "main",
      kind: "container",
      image: "acme.io/app:1",
      pullPolicy: "IfNotPresent",
      imageId: undefined,
      state: { kind: "waiting", reason: "ContainerCreating", message: "" },
      decision: undefined,
      backOffUntil: undefined,
      restartCount: 0,
      containerId: undefined,
      lastState: undefined,
      ready: false,
      started: false,
      logPath: undefined,
      ...own,
    };
  });
  return {
    pod: podFor(statuses, { name, namespace, labels, annotations }, containers),
    phase: "Pending",
    containers: statuses,
    imageVolumes: [],
    conditions: [],
    settled: false,
    createdAt: Date.UTC(2026, 10, 24, 12),
    ...rest,
  };
}

function podFor(
  statuses: readonly ContainerStatus[],
  metadata: Pick<Pod, "name" | "namespace" | "labels" | "annotations">,
  given: StatusGiven["containers"],
): Pod {
  const pod = podOf({
    name: metadata.name,
    containers: statuses.map(({ name, image, kind }) => ({ name, image, kind })),
  });
  const order: readonly ContainerKind[] = ["initContainer", "container", "ephemeralContainer"];
  const containers = pod.containers.map((container, at) => {
    const restartPolicy = given[at]?.restartPolicy;
    return restartPolicy === undefined ? container : { ...container, restartPolicy };
  });
  const sorted = [...containers].sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
  return { ...pod, ...metadata, uid: `uid-${metadata.namespace}-${metadata.name}`, containers: sorted };
}
