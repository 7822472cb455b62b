/**
 * The items of one cluster as resources of the policy working group: a report for each namespace that has items, and one
 * for what is in no namespace. An item about workloads in several namespaces is in the report of each.
 */
import { workloadKinds } from "../../cluster/index.ts";
import { printable as shortened } from "../../support/format.ts";
import type { FleetReport, ReportedItem } from "../report.ts";
import { type ReportGroup, reportKinds } from "./groups.ts";

/** The name of every report; its namespace, and the cluster that it is in, say what it is about. */
export const reportName = "pulley-fleet";

/** How a report is told from a stranger's. */
export const ownLabels = { "app.kubernetes.io/managed-by": "pulley" } as const;

export interface PolicyReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly source?: string;
  readonly scope?: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly configuration?: { readonly limits: { readonly maxResults: number } };
  readonly summary: Readonly<Record<PolicyResult["result"] | "pass" | "error", number>>;
  readonly results: readonly PolicyResult[];
}

export interface PolicyResult {
  readonly source: string;
  /** The kind of the item. */
  readonly policy: string;
  readonly rule?: string;
  readonly category: string;
  readonly severity?: ReportedItem["severity"];
  /** `fail` for what has to be mended, `warn` for what should be, `skip` for what is left out. */
  readonly result: "fail" | "warn" | "skip";
  readonly scored: boolean;
  readonly message: string;
  readonly resources?: readonly ResourceReference[];
  readonly properties: Readonly<Record<string, string>>;
  /** When the item was seen first. */
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
}

interface ResourceReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * What one report may have. etcd takes 1.5 MiB, and whoever watches reads all of it at each change: the results that
 * are the least severe are left out, and a last one says how many.
 */
const most = { results: 500, bytes: 1_000_000, resources: 50, characters: 1000 };

export interface PolicyReportOptions {
  readonly group: ReportGroup;
  /** The name of the cluster. */
  readonly cluster: string;
  /** Since when an item is known, in seconds since the epoch; `undefined`: it is new. */
  readonly knownSince: (namespace: string | undefined, id: string) => number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** None without results. The one in no namespace comes last. */
export function policyReports(report: FleetReport, options: PolicyReportOptions): readonly PolicyReport[] {
  const { cluster } = options;
  const byNamespace = new Map<string, ReportedItem[]>();
  const clusterWide: ReportedItem[] = [];
  for (const item of report.items) {
    const own = item.workloads.filter((workload) => workload.cluster === cluster);
    for (const namespace of new Set(own.map((workload) => workload.namespace))) {
      const known = byNamespace.get(namespace);
      if (known === undefined) byNamespace.set(namespace, [item]);
      else known.push(item);
    }
    if (own.length === 0 && item.clusters.includes(cluster)) clusterWide.push(item);
  }
  const namespaces = [...byNamespace.keys()].toSorted();
  return [
    ...namespaces.map((namespace) => reportOf(byNamespace.get(namespace) ?? [], namespace, options)),
    ...(clusterWide.length === 0 ? [] : [reportOf(clusterWide, undefined, options)]),
  ];
}

function reportOf(
  items: readonly ReportedItem[],
  namespace: string | undefined,
  options: PolicyReportOptions,
): PolicyReport {
  const { apiVersion, namespaced, clusterWide, hasSource } = reportKinds[options.group];
  const results = resultsOf(items, namespace, options);
  const count = (result: PolicyResult["result"]) => results.filter((each) => each.result === result).length;
  return {
    apiVersion,
    kind: (namespace === undefined ? clusterWide : namespaced).kind,
    metadata: { name: reportName, ...(namespace !== undefined && { namespace }), labels: ownLabels },
    ...(hasSource && { source: "pulley", configuration: { limits: { maxResults: most.results } } }),
    ...(namespace !== undefined && { scope: { apiVersion: "v1", kind: "Namespace", name: namespace } }),
    summary: { pass: 0, fail: count("fail"), warn: count("warn"), error: 0, skip: count("skip") },
    results,
  };
}

/** The worst first, as the items come. */
function resultsOf(
  items: readonly ReportedItem[],
  namespace: string | undefined,
  options: PolicyReportOptions,
): readonly PolicyResult[] {
  const results: PolicyResult[] = [];
  let bytes = 0;
  for (const item of items) {
    const result = resultOf(item, namespace, options);
    bytes += Buffer.byteLength(JSON.stringify(result));
    if (bytes > most.bytes || results.length + 1 >= most.results) {
      return [...results, leftOut(items.length - results.length, namespace, options)];
    }
    results.push(result);
  }
  return results;
}

function resultOf(
  item: ReportedItem,
  namespace: string | undefined,
  { cluster, knownSince, now }: PolicyReportOptions,
): PolicyResult {
  const { id, kind, severity, title, cause, since, firstSeen, workloads } = item;
  const resources = workloads
    .filter((workload) => workload.cluster === cluster && workload.namespace === namespace)
    .flatMap(({ kind: own, name }) => referenceTo(own, namespace ?? "", name))
    .slice(0, most.resources);
  const times = [since, firstSeen].flatMap((time) => (time === null ? [] : [Date.parse(time)]));
  const seconds = knownSince(namespace, id) ?? Math.floor(Math.min(now, ...times) / 1000);
  const isUrgent = severity !== "low";
  return {
    source: "pulley",
    policy: kind,
    ...(cause !== null && { rule: cause }),
    category: "Images",
    severity,
    result: isUrgent ? "fail" : "warn",
    scored: isUrgent,
    message: textOf(title),
    ...(resources.length > 0 && { resources }),
    properties: propertiesOf(
      item,
      !workloads.every((each) => each.cluster === cluster && each.namespace === namespace),
    ),
    timestamp: { seconds, nanos: 0 },
  };
}

function leftOut(count: number, namespace: string | undefined, { knownSince, now }: PolicyReportOptions): PolicyResult {
  const id = "left-out";
  return {
    source: "pulley",
    policy: id,
    category: "Images",
    result: "skip",
    scored: false,
    message: `${count} more, none of them worse: pulley fleet report lists them`,
    properties: { id },
    timestamp: { seconds: knownSince(namespace, id) ?? Math.floor(now / 1000), nanos: 0 },
  };
}

/** Who may read one namespace is not told what is in others: the particulars of an item name its workloads. */
function propertiesOf(
  { id, image, bytes, details, advice, command, teams }: ReportedItem,
  isShared: boolean,
): Record<string, string> {
  const texts = {
    id,
    image,
    bytes: bytes === null ? null : String(bytes),
    teams: teams.join(", "),
    details: isShared ? null : details.join("; "),
    advice,
    command: isShared ? null : command,
  };
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => (text === null || text === "" ? [] : [[key, textOf(text)]])),
  );
}

/** Static pods are written on nodes, and are no object. */
function referenceTo(kind: string, namespace: string, name: string): readonly ResourceReference[] {
  if (kind === "StaticPod") return [];
  const apiVersion = workloadKinds.find((each) => each.kind === kind)?.apiVersion;
  return [{ ...(apiVersion !== undefined && { apiVersion }), kind, namespace, name }];
}

function textOf(text: string): string {
  return shortened(text, most.characters);
}
