/** The Kubernetes API: clusters by their contexts, and what is read of them. */
export { type ClusterApi, openCluster } from "./api.ts";
export { chooseContexts, ownCluster } from "./contexts.ts";
export { type ListedKind, listKinds } from "./kinds.ts";
export { readKubeconfig } from "./kubeconfig.ts";
export { PullSecretNames } from "./pull-secrets.ts";
export { type RunningImage, readWorkloads } from "./workloads.ts";
