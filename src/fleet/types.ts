/** What is known of clusters: only what Pulley reads, and of what many objects say the same, one copy. */
import type { ContainerKind, PullPolicy } from "../workload/index.ts";

export interface Cluster {
  readonly name: string;
  readonly pods: readonly PodRecord[];
  readonly nodes: readonly NodeRecord[];
  /** Each workload that has pods, or is written with a pod template, once. */
  readonly workloads: readonly WorkloadRecord[];
}

/** The owner at the top: the Deployment, not its ReplicaSet or its pods. */
export interface WorkloadRecord {
  readonly cluster: string;
  readonly apiVersion: string;
  /** As Kubernetes names it; `StaticPod` for the mirror pods of one manifest, whatever node they are on. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Labels and annotations of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What its pod template says; empty where the object was not in the list. */
  readonly template: readonly ContainerSpec[];
  /** Of its pod template, too. */
  readonly templateLogins: PodLogins;
  /** How many pods it is to have; `undefined` where it does not say, or the object was not in the list. */
  readonly replicas: number | undefined;
}

/** What says which logins a pod pulls with, in its namespace. */
export interface PodLogins {
  /** Empty where none is written. */
  readonly serviceAccount: string;
  /** Names of Secrets. */
  readonly pullSecrets: readonly string[];
}

/** A container or an image volume as it is written. */
export interface ContainerSpec {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly image: string;
  /** `undefined` where none is written, which the API server does not let happen. */
  readonly pullPolicy: PullPolicy | undefined;
}

export interface PodRecord extends PodLogins {
  readonly workload: WorkloadRecord;
  readonly name: string;
  /** Empty where it is not scheduled. */
  readonly node: string;
  /** Whether it has ended, well or badly, and nothing of it runs any more. */
  readonly ended: boolean;
  readonly containers: readonly PodContainer[];
  /** Since when it has not been ready, in milliseconds since the epoch; `undefined` where it is, or nothing is said. */
  readonly notReadySince: number | undefined;
}

export interface PodContainer {
  readonly spec: ContainerSpec;
  /** The digest of the manifest that it was started from; `undefined` where it has not been, or the runtime does not say. */
  readonly digest: string | undefined;
  /** Whether it runs, has run, or waits to run again: then its image is on the node. */
  readonly hasStarted: boolean;
  /** Why it does not run. */
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
}

export interface NodeRecord {
  readonly name: string;
  /** `amd64` */
  readonly architecture: string;
  /** What the kubelet lists: the largest 50 by default (`nodeStatusMaxImages`), each with at most 5 names. */
  readonly images: readonly NodeImage[];
}

export interface NodeImage {
  /** With tags and with digests, as the runtime writes them. */
  readonly names: readonly string[];
  readonly bytes: number;
}
