/** What is in a cluster, read from its API server. */
import { type ClusterApi, type ListedKind, listKinds, workloadKinds } from "../cluster/index.ts";
import { isPulleyError, type PulleyError } from "../support/errors.ts";
import { createInventory } from "./inventory.ts";
import type { Cluster } from "./types.ts";

export interface LiveRequest {
  /** Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Called with why something could not be read: of one kind, or of all that would have followed. */
  readonly onFailure: (failure: PulleyError) => void;
  /** Called after each page. */
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface LiveClusters {
  readonly clusters: readonly Cluster[];
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  readonly failures: readonly PulleyError[];
}

/** As in the role that `pulley fleet rbac` prints. */
const listed: readonly ListedKind[] = [
  { apiVersion: "v1", kind: "Node", plural: "nodes", isClusterWide: true },
  ...workloadKinds.filter(({ kind }) => kind !== "ReplicationController"),
];

/** One after another, each as far as it can be read, and then closed. @throws PulleyError `CANCELLED` */
export async function readLiveClusters(apis: readonly ClusterApi[], request: LiveRequest): Promise<LiveClusters> {
  const clusters: Cluster[] = [];
  const incomplete = new Set<string>();
  const failures: PulleyError[] = [];
  for (const api of apis) {
    const onFailure = (failure: PulleyError) => {
      incomplete.add(api.name);
      failures.push(failure);
      request.onFailure(failure);
    };
    try {
      clusters.push(await readCluster(api, { ...request, onFailure }));
    } finally {
      api.close();
    }
  }
  return { clusters, incomplete, failures };
}

async function readCluster(api: ClusterApi, request: LiveRequest): Promise<Cluster> {
  const { namespaces, onFailure, progress, signal } = request;
  const inventory = createInventory(api.name);
  let objects = 0;
  const take = (item: object, { apiVersion, kind }: ListedKind) => inventory.add({ apiVersion, kind, ...item }) ?? kind;
  try {
    for await (const { picked } of listKinds(api, listed, take, { namespaces, onForbidden: onFailure, signal })) {
      objects += picked.length;
      progress(`${api.name}: ${objects} objects`);
    }
  } catch (error) {
    if (!isPulleyError(error) || signal.aborted) throw error;
    onFailure(error);
  }
  return inventory.finish();
}
