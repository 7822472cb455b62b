import { type Command, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import {
  type FleetReport,
  fleetCsv,
  fleetHtml,
  fleetLines,
  fleetMarkdown,
  fleetReport,
  reportGroups,
  type Severity,
  severities,
  workloadCounts,
} from "../fleet/index.ts";
import { clusterOptions } from "./cluster-option.ts";
import { type FleetFlags, fromOption, openFleet } from "./fleet-clusters.ts";
import { sourceOf } from "./fleet-files.ts";
import {
  type PolicyReportFlags,
  policyReportsOption,
  printPolicyReports,
  refuseNoCluster,
  writeReports,
} from "./fleet-policy-reports.ts";
import {
  type CheckFlags,
  checkOptions,
  checkUpstream,
  refuseCheckConflicts,
  upstreamStatus,
} from "./fleet-upstream.ts";
import { placeToRecord, type RecordFlags, recordIn, recordOptions } from "./history-option.ts";
import { type CommandIo, type Io, viewOf } from "./io.ts";
import { examples, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy, policyOption, timeOption } from "./policy-option.ts";
import { passOn, printEach, printLines, warnOn } from "./printing.ts";
import { teamsIn, teamsOption } from "./teams-option.ts";

const outputs = ["text", "json", "yaml", "csv", "markdown", "html", ...reportGroups] as const;

interface ReportCommandOptions extends FleetFlags, CheckFlags, RecordFlags, PolicyReportFlags {
  readonly teams?: string;
  readonly policy?: string;
  readonly output: (typeof outputs)[number];
  readonly failOn?: Severity;
  readonly all?: boolean;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

export function defineReport(command: Command, io: CommandIo): void {
  recordOptions(checkOptions(clusterOptions(command.command("report")), io))
    .description("Report what there is to do in clusters: images, pull policies, exemptions.")
    .addOption(fromOption())
    .addOption(teamsOption("items are grouped by team"))
    .addOption(policyOption())
    .addOption(timeOption())
    .addOption(outputOption(outputs))
    .addOption(
      new Option("--fail-on <severity>", "Exit with status 1 if there is an item of this severity or higher").choices([
        ...severities,
      ]),
    )
    .option("--all", "Show every item, however many of a kind there are")
    .addOption(policyReportsOption())
    .addHelpText(
      "after",
      examples(
        ["pulley fleet report --context eu --context us", "Report on two clusters of the kubeconfig"],
        ["pulley fleet report --from eu=eu.json --from us=us.json", "The same from lists in files"],
        ["pulley fleet report --all-contexts --record", "Record what is found, for pulley fleet history and trend"],
        [
          "kubectl get po,no,rs,deploy,sts,ds,jobs,cj -A -o json |\n    pulley fleet report --from prod=- --fail-on high",
          "Report on what kubectl prints, and fail if something is urgent",
        ],
      ),
    )
    .action(io.withStatus((options: ReportCommandOptions, called: Command) => report(options, called, io)));
}

async function report(options: ReportCommandOptions, called: Command, io: CommandIo): Promise<number> {
  const { policy: path, failOn, keep, namespace: namespaces = [], at: now = Date.now() } = options;
  refuseCheckConflicts(options);
  const place = placeToRecord(options, called, io);
  const fleet = openFleet(options, io);
  refuseNoCluster(options, fleet.apis);
  // Each workload says which cluster it is in; a name is given so that rules for clusters are not called idle.
  const policy = await loadPolicy({ policy: path, cluster: fleet.names[0] }, io);
  const teams = teamsIn(options.teams, io);
  const read = await fleet.read({ secrets: options.secrets });
  const { clusters, incomplete, contexts } = read;
  const upstream = options.check ? await checkUpstream(read, { policy, now }, options, io) : undefined;
  const given = path === undefined ? undefined : policy;
  const seen = fleetReport(clusters, { policy: given, teams, upstream, incomplete, contexts, now });
  for (const note of seen.notes) warnOn(io)(note);
  const { report: found, failure } =
    place === undefined
      ? { report: seen }
      : await recordIn(place, { report: seen, at: now, namespaces, workloads: workloadCounts(clusters, teams), keep });
  await printReport(found, now, options, io);
  const live = { apis: fleet.apis, namespaces: options.namespace, incomplete, now, signal: io.interruption() };
  const failed = Math.max(read.status, await writeReports(found, options, live, io));
  if (failure !== undefined) throw failure;
  if (failed !== 0) return failed;
  const worst = severities.slice(0, failOn === undefined ? 0 : severities.indexOf(failOn) + 1);
  return found.items.some(({ severity }) => worst.includes(severity)) ? 1 : upstreamStatus(upstream);
}

async function printReport(found: FleetReport, now: number, options: ReportCommandOptions, io: Io): Promise<void> {
  const { output, all = false } = options;
  const outdatedWords = wordsForOutdated(options);
  switch (output) {
    case "csv":
      await printEach(fleetCsv(found), io);
      return;
    case "markdown":
      printLines("stdout", fleetMarkdown(found), io);
      return;
    case "html":
      await passOn(fleetHtml(found, { version: packageFile.version, now }), io);
      return;
    case "wgpolicyk8s":
    case "openreports":
      await printPolicyReports(found, output, now, io);
      return;
    default:
      await print(output, found, () => fleetLines(found, { ...viewOf(io), all, now, outdatedWords }), io);
  }
}

/** With which `pulley outdated` reads the same clusters. */
function wordsForOutdated({ context = [], allContexts, kubeconfig, from = [] }: FleetFlags): readonly string[] {
  return [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(allContexts ? ["--all-contexts"] : context.flatMap((name) => ["--context", name])),
    ...from.map((each) => sourceOf(each).file),
  ];
}
