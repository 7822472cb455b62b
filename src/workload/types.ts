/** What the rest of the house knows of workloads: who asks for which image. */
import type { ImageName } from "../image/index.ts";
import type { PodSpec } from "./pod-spec/types.ts";

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

export type ContainerKind = "container" | "initContainer" | "ephemeralContainer" | "imageVolume";

/** A place in an input file; line and column count from 1. */
export interface Position {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Labels and annotations of its pods: those of the pod template, for admission and nodes see no others. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A pull policy that another program than Kubernetes sets. */
export interface OtherDefault {
  readonly value: PullPolicy;
  /** `Compose` */
  readonly program: string;
  /** Half a sentence. */
  readonly because: string;
}

/** One container (or image volume) that asks for an image: the unit that is decided on. */
export interface ImageRequest {
  /** Where the image is written; absent when the request did not come from a file. */
  readonly source?: Position;
  readonly workload: Workload;
  readonly container: { readonly name: string; readonly kind: ContainerKind };
  /** As it is written, parsed once. */
  readonly image: ImageName;
  /** As it is written: `undefined` where the field is absent or empty. */
  readonly pullPolicy: PullPolicy | undefined;
  /** What holds where none is written, if that is not for Kubernetes to say; absent: Kubernetes' default. */
  readonly otherDefault?: OtherDefault;
  /** Name of the cluster that the workload is in, where that is known. */
  readonly cluster?: string;
}

/** A container of a pod after the API server's defaulting: what a kubelet sees. */
export interface PodContainer {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Init containers only: `Always` makes it a sidecar, which the next container does not wait for. */
  readonly restartPolicy?: "Always";
  /** Names of the volumes that it mounts, in the order of its mounts; absent where that is not known. */
  readonly mountedVolumes?: readonly string[];
  /** The request that it was made from. */
  readonly request: ImageRequest;
}

/** A pod as the API server stores it: defaulted, with its service account's pull secrets if it names none. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccountName: string;
  /** In the order of the pod's manifest: init containers, containers, ephemeral containers. */
  readonly containers: readonly PodContainer[];
  readonly imageVolumes: readonly PodContainer[];
  /** Names of the Secrets, in order; empty names are already left out. */
  readonly imagePullSecrets: readonly string[];
  readonly source?: Position;
  /** What starting its containers takes; absent where only its images are of interest. */
  readonly spec?: PodSpec;
}

/** A Secret of one of the two kinds that hold registry logins. */
export interface PullSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg";
  /** The decoded text of `.dockerconfigjson` or `.dockercfg`: secret, never printed. */
  readonly content: string;
}
