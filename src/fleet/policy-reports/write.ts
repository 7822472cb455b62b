/**
 * Writes the reports of a cluster into it: by server-side apply, so that the server changes nothing where nothing has
 * changed, and deletes those in which nothing is left. What others own is left alone.
 */
import {
  type ClusterApi,
  fieldManager,
  type ListedKind,
  listPages,
  listPaths,
  objectPath,
} from "../../cluster/index.ts";
import { inParallel } from "../../support/concurrency.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { itemsAt, textAt, valueAt } from "../../support/json-record.ts";
import type { FleetReport } from "../report.ts";
import { type ReportGroup, type ReportKinds, reportGroups, reportKinds } from "./groups.ts";
import { ownLabels, type PolicyReport, policyReports } from "./policy-reports.ts";

export interface WriteRequest {
  /** `undefined`: the first of {@link reportGroups} that the cluster has. */
  readonly group: ReportGroup | undefined;
  /** Those that were read: no others are written to, nor what is in none. `undefined`: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
}

export interface WrittenReports {
  /** `wgpolicyk8s.io/v1alpha2` */
  readonly apiVersion: string;
  /** Reports that there are now, and of these such as are new or were different. */
  readonly reports: number;
  readonly changed: number;
  readonly deleted: number;
}

/** Calls under way at the same time. */
const atOnce = 4;

/**
 * @param report in which all of the cluster, or of these namespaces, was read
 * @throws PulleyError any of the `CLUSTER_` codes; `CLUSTER_FAILED` too where the cluster has no such reports, or one is
 *   another's; `CANCELLED`
 */
export async function writePolicyReports(
  api: ClusterApi,
  report: FleetReport,
  { group: wanted, namespaces, now, signal }: WriteRequest,
): Promise<WrittenReports> {
  const group = await groupIn(api, wanted, signal);
  const kinds = reportKinds[group];
  const before = await ownReports(api, kinds, namespaces, signal);
  const isWritten = (namespace: string | undefined) =>
    namespaces === undefined || (namespace !== undefined && namespaces.includes(namespace));
  const reports = policyReports(report, {
    group,
    cluster: api.name,
    knownSince: (namespace, id) => before.get(keyOf(namespace))?.since.get(id),
    now,
  }).filter(({ metadata }) => isWritten(metadata.namespace));
  let changed = 0;
  await inParallel(reports, atOnce, async (each) => {
    const version = await write(api, each, kinds, signal);
    if (version !== before.get(keyOf(each.metadata.namespace))?.version) changed += 1;
  });
  for (const { metadata } of reports) before.delete(keyOf(metadata.namespace));
  const solved = [...before.values()];
  await inParallel(solved, atOnce, async ({ path, uid }) => void (await api.remove({ path, uid, signal })));
  return { apiVersion: kinds.apiVersion, reports: reports.length, changed, deleted: solved.length };
}

/** What came of the reports of one cluster. */
export type ClusterOutcome =
  | { readonly kind: "written"; readonly cluster: string; readonly written: WrittenReports }
  | { readonly kind: "failed"; readonly cluster: string; readonly failure: PulleyError };

/** Cluster by cluster; what fails in one stops no other. @throws PulleyError `CANCELLED` */
export async function* writeEachCluster(
  apis: readonly ClusterApi[],
  report: FleetReport,
  request: WriteRequest,
): AsyncGenerator<ClusterOutcome> {
  for (const api of apis) {
    const cluster = api.name;
    try {
      yield { kind: "written", cluster, written: await writePolicyReports(api, report, request) };
    } catch (failure) {
      if (!isPulleyError(failure) || request.signal.aborted) throw failure;
      yield { kind: "failed", cluster, failure };
    }
  }
}

async function groupIn(api: ClusterApi, wanted: ReportGroup | undefined, signal: AbortSignal): Promise<ReportGroup> {
  const asked = wanted === undefined ? reportGroups : [wanted];
  for (const group of asked) {
    const { apiVersion, namespaced, clusterWide } = reportKinds[group];
    const found = await api.get({ path: `/apis/${apiVersion}`, signal });
    const names =
      found.kind === "found" ? itemsAt(found.document, "resources").map((each) => textAt(each, "name")) : [];
    if (names.includes(namespaced.plural) && names.includes(clusterWide.plural)) return group;
  }
  const definitions = asked.map((group) => {
    const { apiVersion, namespaced, clusterWide } = reportKinds[group];
    const [name = "", version = ""] = apiVersion.split("/");
    return `${namespaced.plural}.${name} and ${clusterWide.plural}.${name} (${version})`;
  });
  const names = asked.map((group) => reportKinds[group].apiVersion).join(" nor ");
  throw new PulleyError("CLUSTER_FAILED", `context "${api.name}": the cluster does not have reports of ${names}`, {
    advice: `Install the CustomResourceDefinitions ${definitions.join(", or ")}; those who read reports, such as Policy Reporter or Kyverno, bring them.`,
  });
}

/** A report that Pulley has written. */
interface OwnReport {
  readonly path: string;
  readonly uid: string | undefined;
  readonly version: string | undefined;
  /** Since when its items are known, by their ids, in seconds since the epoch. */
  readonly since: ReadonlyMap<string, number>;
}

async function ownReports(
  api: ClusterApi,
  kinds: ReportKinds,
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Map<string, OwnReport>> {
  const [[label, value] = ["", ""]] = Object.entries(ownLabels);
  const found = new Map<string, OwnReport>();
  for (const kind of kindsOf(kinds)) {
    const pick = (item: object) => ownReport(item, kind);
    for (const path of listPaths(kind, namespaces)) {
      for await (const page of listPages(api, { path, labelSelector: `${label}=${value}`, pick, signal })) {
        for (const [namespace, each] of page) found.set(keyOf(namespace), each);
      }
    }
  }
  return found;
}

function ownReport(item: object, kind: ListedKind): readonly [string | undefined, OwnReport] | undefined {
  const namespace = textAt(item, "metadata", "namespace");
  // The label is anybody's to write; who has applied it, the server says.
  const isOurs = itemsAt(item, "metadata", "managedFields").some(
    (each) => textAt(each, "manager") === fieldManager && textAt(each, "operation") === "Apply",
  );
  if (!isOurs) return undefined;
  const since = itemsAt(item, "results").flatMap((result) => {
    const id = textAt(result, "properties", "id");
    const seconds = valueAt(result, "timestamp", "seconds");
    return id !== undefined && typeof seconds === "number" ? [[id, seconds] as const] : [];
  });
  const name = textAt(item, "metadata", "name") ?? "";
  const path = objectPath(kind, { name, ...(namespace !== undefined && { namespace }) });
  const [uid, version] = [textAt(item, "metadata", "uid"), textAt(item, "metadata", "resourceVersion")];
  return [namespace, { path, uid, version, since: new Map(since) }];
}

/** @returns the version that it has now; nothing where the namespace is gone, or about to be */
async function write(
  api: ClusterApi,
  report: PolicyReport,
  kinds: ReportKinds,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { metadata, kind } = report;
  const listed = kindsOf(kinds).find((each) => each.kind === kind);
  if (listed === undefined) return undefined;
  const path = objectPath(listed, metadata);
  const written = await api.apply({ path, object: { ...report }, signal }).catch((error: unknown) => {
    if (isPulleyError(error, "CLUSTER_FORBIDDEN") && error.message.includes("being terminated")) return undefined;
    if (!isUnknownSeverity(error)) throw error;
    return api.apply({ path, object: { ...withoutCritical(report) }, signal });
  });
  if (written?.kind === "written") return textAt(written.document, "metadata", "resourceVersion");
  if (written?.kind !== "conflict") return undefined;
  const owners = [...new Set(written.owners.map(({ manager }) => manager))].join(", ");
  const place = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  throw new PulleyError("CLUSTER_FAILED", `context "${api.name}": the ${kind} ${place} is of ${owners}, and stays`, {
    advice: "Rename or delete it, if it is of no use: Pulley writes reports of this name.",
  });
}

function kindsOf({ apiVersion, namespaced, clusterWide }: ReportKinds): readonly ListedKind[] {
  return [
    { apiVersion, ...namespaced },
    { apiVersion, ...clusterWide, isClusterWide: true },
  ];
}

/** A cluster-wide report has none. */
function keyOf(namespace: string | undefined): string {
  return namespace ?? "";
}

/** The first definitions of wgpolicyk8s.io/v1alpha2 know no severity above `high`. */
function isUnknownSeverity(error: unknown): boolean {
  return isPulleyError(error, "CLUSTER_FAILED") && error.message.includes('Unsupported value: "critical"');
}

function withoutCritical(report: PolicyReport): PolicyReport {
  const results = report.results.map((each) =>
    each.severity === "critical" ? { ...each, severity: "high" as const } : each,
  );
  return { ...report, results };
}
