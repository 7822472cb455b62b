/** The report of a fleet as resources in its clusters, or as YAML for kubectl. */
import { Option } from "commander";
import type { ClusterApi } from "../cluster/index.ts";
import { type FleetReport, policyReports, type ReportGroup, reportGroups, writeEachCluster } from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { printable } from "../support/terminal.ts";
import { watchClusters } from "./cluster-progress.ts";
import type { Io } from "./io.ts";
import { printLine, printText, yamlText } from "./printing.ts";

export interface PolicyReportFlags {
  /** `auto`: of the group that the cluster has. */
  readonly policyReports?: ReportGroup | "auto";
}

/** `undefined`: the one that the cluster has. */
export function wantedGroup(flag: PolicyReportFlags["policyReports"]): ReportGroup | undefined {
  return flag === "auto" ? undefined : flag;
}

export function policyReportsOption(): Option {
  return new Option(
    "--policy-reports <api>",
    "Write the items into each cluster as reports of this API (PolicyReport of wgpolicyk8s.io, Report of openreports.io; auto: the one that the cluster has), and delete those that have become empty",
  ).choices(["auto", ...reportGroups]);
}

export interface ReportPlace {
  readonly apis: readonly ClusterApi[];
  readonly namespaces: readonly string[] | undefined;
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Cluster by cluster; what fails is told of, and the others are written all the same. Gives the exit status. */
export async function writeReports(
  found: FleetReport,
  { policyReports: wanted }: PolicyReportFlags,
  { apis, namespaces, incomplete, now, signal }: ReportPlace,
  io: Io,
): Promise<number> {
  if (wanted === undefined) return 0;
  const group = wantedGroup(wanted);
  const watch = watchClusters([], "report", io);
  let status = 0;
  for (const { name } of apis) {
    if (incomplete.has(name)) watch.warn(`${name}: not all was read, so its policy reports stay as they are`);
  }
  const whole = apis.filter(({ name }) => !incomplete.has(name));
  try {
    for await (const outcome of writeEachCluster(whole, found, { group, namespaces, now, signal })) {
      if (outcome.kind === "failed") {
        watch.fail(outcome.failure);
        status = Math.max(status, outcome.failure.exitStatus);
      } else {
        const { reports, changed, deleted, apiVersion } = outcome.written;
        const words = `${plural(reports, "report")} of ${apiVersion}, ${changed} of them changed, ${deleted} deleted`;
        printLine("stderr", `${printable(outcome.cluster)}: ${words}`, io);
      }
    }
  } finally {
    for (const api of whole) api.close();
  }
  watch.end();
  return status;
}

/** @throws PulleyError `USAGE` before anything is read */
export function refuseNoCluster({ policyReports: wanted }: PolicyReportFlags, apis: readonly ClusterApi[]): void {
  if (wanted === undefined || apis.length > 0) return;
  throw new PulleyError("USAGE", "--policy-reports writes into clusters, and there is none", {
    advice: "Name one with --context, or print the reports of a list with -o wgpolicyk8s for kubectl apply.",
  });
}

/** @throws PulleyError `USAGE`: kubectl applies all of it to one cluster */
export async function printPolicyReports(found: FleetReport, group: ReportGroup, now: number, io: Io): Promise<void> {
  const [cluster, other] = found.clusters;
  if (other !== undefined || cluster === undefined) {
    throw new PulleyError("USAGE", `-o ${group} is for one cluster, for kubectl apply`, {
      advice: "Call it once for each cluster, or write into all of them with --policy-reports.",
    });
  }
  const reports = policyReports(found, { group, cluster: cluster.name, knownSince: () => undefined, now });
  const texts = await Promise.all(reports.map(yamlText));
  printText("stdout", texts.join("---\n"), io);
}
