/** What is needed to start containers. */
import type { DataObjects, Pod, PodFacts, PodSpec } from "../../workload/index.ts";
import type { ContainerRuntime } from "../container-runtime.ts";
import type { CrashLimits } from "./crash-back-off.ts";

export interface ContainersOptions {
  readonly runtime: ContainerRuntime;
  readonly folders: PodFolders;
  readonly host: HostInfo;
  /** Identifies this node's pods among those of others that use the same runtime. */
  readonly node: string;
  /** Back-off of containers that keep failing; absent: the kubelet's default. */
  readonly crashLoopBackOff?: CrashLimits;
}

/** What is known of this machine. */
export interface HostInfo {
  readonly name: string;
  readonly ip: string;
  /** Thousandths of a core, and bytes. */
  readonly capacity: { readonly cpu: number; readonly memory: number };
  /** The text of the machine's resolv.conf. */
  resolver(): Promise<string>;
  readonly seccompFolder: string;
}

/** Folders on this machine that pods have: their volumes and their logs. */
export interface PodFolders {
  /** Makes all volumes of the pod ready; safe to call again. */
  setUp(facts: PodFacts): Promise<readonly VolumeProblem[]>;
  /** Where on this machine a mount of a container comes from. @throws PulleyError if it would lead out of its volume */
  mountSource(request: MountRequest): Promise<string>;
  /** Where the pod's containers write their logs; made if it is not there. */
  logFolder(pod: Pod): Promise<string>;
  /** A new, empty file for a container's termination message. */
  terminationLog(pod: Pod, container: string, attempt: number): Promise<string>;
  /** The end of such a file; empty if there is nothing. */
  readTerminationLog(pod: Pod, container: string, attempt: number): Promise<string>;
  /** Removes the log and the termination message of one container. */
  forget(pod: Pod, container: string, attempt: number): Promise<void>;
  /** Removes all that was made for a pod, which may be long gone. */
  remove(pod: Pick<Pod, "namespace" | "name" | "uid">): Promise<void>;
}

export interface VolumeProblem {
  readonly volume: string;
  readonly message: string;
}

export interface MountRequest {
  readonly pod: Pod;
  readonly spec: PodSpec;
  readonly volume: string;
  /** Inside the volume; empty for all of it. */
  readonly subPath: string;
  /** What tells this mount from the other ones of the pod: container and number. */
  readonly container: string;
  readonly index: number;
}

/** A pod's objects and what is known of the machine: all that decides what its containers get. */
export interface PodInput {
  readonly pod: Pod;
  readonly spec: PodSpec;
  readonly objects: DataObjects;
}
