/** The Kubernetes API: clusters by their contexts, and what is read of them. */
export type { ClusterApi } from "./api.ts";
export { type ListedKind, listKinds, listPaths, objectPath, workloadKinds } from "./kinds.ts";
export { listPages } from "./list.ts";
export { clustersAtOnce, openContexts } from "./open-contexts.ts";
export { PullSecretNames } from "./pull-secrets.ts";
export { type WatchedKind, watchKind } from "./watched-kind.ts";
export { type RunningImage, readWorkloads } from "./workloads.ts";
export { fieldManager } from "./writes.ts";
