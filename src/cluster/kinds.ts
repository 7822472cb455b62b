/** Lists of several kinds, in all namespaces or in some. */
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import type { JsonRecord } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import { listPages } from "./list.ts";

export interface ListedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** As it is in paths. */
  readonly plural: string;
  /** Whether it is in no namespace: it is left out where namespaces are named. */
  readonly isClusterWide?: boolean;
}

/** Those that have or own pods, the pods last. */
export const workloadKinds: readonly ListedKind[] = [
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
  { apiVersion: "apps/v1", kind: "StatefulSet", plural: "statefulsets" },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets" },
  { apiVersion: "apps/v1", kind: "ReplicaSet", plural: "replicasets" },
  { apiVersion: "v1", kind: "ReplicationController", plural: "replicationcontrollers" },
  { apiVersion: "batch/v1", kind: "CronJob", plural: "cronjobs" },
  { apiVersion: "batch/v1", kind: "Job", plural: "jobs" },
  { apiVersion: "v1", kind: "Pod", plural: "pods" },
];

export interface KindsRequest {
  /** Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Called with what the login has no right to; the rest is read. */
  readonly onForbidden: (failure: PulleyError) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface KindPage<T> {
  readonly kind: ListedKind;
  readonly picked: readonly T[];
}

/**
 * Kind by kind, page by page.
 * @param pick what is kept of an object, which does not say its kind itself
 * @throws PulleyError as {@link ClusterApi.get}, but for what is forbidden
 */
export async function* listKinds<T>(
  api: ClusterApi,
  kinds: readonly ListedKind[],
  pick: (item: JsonRecord, kind: ListedKind) => T | undefined,
  { namespaces, onForbidden, signal }: KindsRequest,
): AsyncGenerator<KindPage<T>> {
  for (const kind of kinds) {
    for (const path of listPaths(kind, namespaces)) {
      try {
        const pages = listPages(api, { path, pick: (item) => pick(item, kind), signal });
        for await (const picked of pages) yield { kind, picked };
      } catch (error) {
        if (!isPulleyError(error, "CLUSTER_FORBIDDEN")) throw error;
        onForbidden(error);
      }
    }
  }
}

/**
 * The paths of lists of a kind, in these namespaces or in all; none for what is in none, where some are named.
 * @throws PulleyError `INPUT_INVALID` if a namespace would lead to another path
 */
export function listPaths(kind: ListedKind, namespaces: readonly string[] | undefined): readonly string[] {
  if (namespaces === undefined) return [kindPath(kind, undefined)];
  if (kind.isClusterWide) return [];
  return [...new Set(namespaces)].map((namespace) => kindPath(kind, namespace));
}

/** The path of all objects of a kind: in one namespace, or wherever they are. */
function kindPath({ apiVersion, plural }: ListedKind, namespace: string | undefined): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${segment(namespace)}/${plural}`;
}

export interface ObjectName {
  /** None for what is in no namespace. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** @throws PulleyError `INPUT_INVALID` if a name would lead to another path */
export function objectPath(kind: ListedKind, { namespace, name }: ObjectName): string {
  return `${kindPath(kind, namespace)}/${segment(name)}`;
}

/** k8s apimachinery api/validation/path. */
function segment(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && !/[/%]/.test(name)) return encodeURIComponent(name);
  throw new PulleyError("INPUT_INVALID", `"${printable(name)}" is no name of an object`, {
    advice: "A name must not be empty, . or .., nor contain / or %.",
  });
}
