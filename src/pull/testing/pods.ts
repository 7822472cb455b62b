import { readImageName } from "../../image/index.ts";
import {
  type ContainerKind,
  defaultPullPolicy,
  type Pod,
  type PodContainer,
  type PullPolicy,
} from "../../workload/index.ts";

export interface ContainerGiven {
  readonly image: string;
  readonly name?: string;
  readonly kind?: ContainerKind;
  readonly pullPolicy?: PullPolicy;
  /** Names of volumes. */
  readonly mounts?: readonly string[];
}

export interface PodGiven {
  readonly name?: string;
  readonly containers: readonly ContainerGiven[];
  readonly imagePullSecrets?: readonly string[];
}

/** A pod as the API server would store it. */
export function podOf({ name = "web", containers, imagePullSecrets = [] }: PodGiven): Pod {
  const workload = { apiVersion: "v1", kind: "Pod", namespace: "default", name, labels: {}, annotations: {} };
  const all = containers.map((given): PodContainer => {
    const { image, pullPolicy, kind = "container", mounts } = given;
    const containerName = given.name ?? "main";
    return {
      name: containerName,
      kind,
      image,
      pullPolicy: pullPolicy ?? defaultPullPolicy(readImageName(image)).value,
      ...(mounts && { mountedVolumes: mounts }),
      request: { workload, container: { name: containerName, kind }, image: readImageName(image), pullPolicy },
    };
  });
  return {
    uid: `uid-${name}`,
    namespace: "default",
    name,
    labels: {},
    annotations: {},
    serviceAccountName: "default",
    containers: all.filter(({ kind }) => kind !== "imageVolume"),
    imageVolumes: all.filter(({ kind }) => kind === "imageVolume"),
    imagePullSecrets,
  };
}
