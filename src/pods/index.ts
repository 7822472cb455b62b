/** Pods and containers on a node. */
export { isReadable, readContainerLog } from "./container-log/index.ts";
export type {
  ContainerRuntime,
  Labels,
  LinuxSecurity,
  ListedContainer,
  Mount,
  Namespaces,
  RuntimeContainer,
  RuntimeContainerConfig,
  RuntimeImageUser,
  Sandbox,
  SandboxConfig,
  SandboxStatus,
} from "./container-runtime.ts";
export { type FoundPod, foundPods, removeOrphan } from "./containers/orphans.ts";
export { podFolders, readResolver } from "./containers/pod-folders.ts";
export { openPodLocks } from "./containers/pod-locks.ts";
export { uidOf, withUid } from "./containers/pod-uid.ts";
export type { ContainersOptions } from "./containers/types.ts";
export { createPodManager, type PodManager } from "./pod-manager.ts";
export { createStaticPods } from "./static/index.ts";
export type { ContainerState, ContainerStatus, NodeEvent, NodeSignal, PodStatus, TerminatedState } from "./types.ts";
