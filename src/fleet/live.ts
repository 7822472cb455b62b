/** What is in a cluster, read from its API server. */
import { type ClusterApi, clustersAtOnce, type ListedKind, listKinds, workloadKinds } from "../cluster/index.ts";
import { inParallel } from "../support/concurrency.ts";
import { isPulleyError, type PulleyError } from "../support/errors.ts";
import { createInventory } from "./inventory.ts";
import type { Cluster } from "./types.ts";
import { type ClusterSecrets, readPullSecrets } from "./upstream/logins.ts";

export interface LiveRequest {
  /** Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Called with why something could not be read: of one kind, or of all that would have followed. */
  readonly onFailure: (failure: PulleyError) => void;
  /** Called when a cluster's turn comes, after each page, and at the end. */
  readonly onProgress: (cluster: string, objects: number, isRead: boolean) => void;
  /** Has the Secrets and service accounts that pods name read, too; called with what may not be. */
  readonly pullSecrets?: { readonly warn: (message: string) => void } | undefined;
  readonly signal: AbortSignal;
}

export interface LiveClusters {
  readonly clusters: readonly Cluster[];
  readonly secrets: ClusterSecrets;
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  readonly failures: readonly PulleyError[];
}

/** The role that `pulley fleet rbac` prints has the right to list these. */
export const listedKinds: readonly ListedKind[] = [
  { apiVersion: "v1", kind: "Node", plural: "nodes", isClusterWide: true },
  ...workloadKinds,
];

/** Side by side, in the order given, each as far as it can be read, and then closed. @throws PulleyError `CANCELLED` */
export async function readLiveClusters(apis: readonly ClusterApi[], request: LiveRequest): Promise<LiveClusters> {
  const read = new Map<ClusterApi, Cluster>();
  const secrets = new Map<string, readonly object[]>();
  const incomplete = new Set<string>();
  const failures: PulleyError[] = [];
  try {
    await inParallel(apis, clustersAtOnce, async (api) => {
      const onFailure = (failure: PulleyError) => {
        incomplete.add(api.name);
        failures.push(failure);
        request.onFailure(failure);
      };
      const cluster = await readLiveCluster(api, { ...request, onFailure });
      read.set(api, cluster);
      secrets.set(api.name, await readSecrets(api, cluster, { ...request, onFailure }));
    });
  } finally {
    for (const api of apis) api.close();
  }
  return { clusters: apis.flatMap((api) => read.get(api) ?? []), secrets, incomplete, failures };
}

/** As far as it can be read; its connections are the caller's to end. @throws PulleyError `CANCELLED` */
async function readLiveCluster(api: ClusterApi, request: LiveRequest): Promise<Cluster> {
  const { namespaces, onFailure, onProgress, signal } = request;
  const inventory = createInventory(api.name);
  let objects = 0;
  onProgress(api.name, objects, false);
  const take = (item: object, { apiVersion, kind }: ListedKind) => inventory.add({ apiVersion, kind, ...item }) ?? kind;
  try {
    for await (const { picked } of listKinds(api, listedKinds, take, { namespaces, onForbidden: onFailure, signal })) {
      objects += picked.length;
      onProgress(api.name, objects, false);
    }
  } catch (error) {
    if (!isPulleyError(error) || signal.aborted) throw error;
    onFailure(error);
  }
  onProgress(api.name, objects, true);
  return inventory.finish();
}

async function readSecrets(api: ClusterApi, cluster: Cluster, request: LiveRequest): Promise<readonly object[]> {
  const { pullSecrets, onFailure, signal } = request;
  if (pullSecrets === undefined) return [];
  try {
    return await readPullSecrets(api, cluster, { warn: pullSecrets.warn, signal });
  } catch (error) {
    if (!isPulleyError(error) || signal.aborted) throw error;
    onFailure(error);
    return [];
  }
}
