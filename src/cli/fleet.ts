import { type Command, Option } from "commander";
import {
  blastRadius,
  type FleetReport,
  fleetReport,
  readLiveClusters,
  readTeams,
  registryPrefix,
  type Severity,
  severities,
  type Team,
} from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { blastRadiusLines } from "./blast-radius-view.ts";
import { type ClusterFlags, clusterOptions, openClusters, printClusterFailure } from "./cluster-option.ts";
import { clusterSources, fromOption, readClusters } from "./fleet-sources.ts";
import { fleetCsv, fleetLines, fleetMarkdown } from "./fleet-view.ts";
import { readInputFile } from "./inputs.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import { examples, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy, policyOption, timeOption } from "./policy-option.ts";
import { printLines, printOver, printText, warnOn } from "./printing.ts";
import { inputInvalid, printProblems } from "./problems.ts";

const outputs = ["text", "json", "yaml", "csv", "markdown"] as const;

interface ReportCommandOptions extends ClusterFlags {
  readonly from?: readonly string[];
  readonly teams?: string;
  readonly policy?: string;
  readonly output: (typeof outputs)[number];
  readonly failOn?: Severity;
  readonly all?: boolean;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

interface BlastRadiusOptions extends OutputOptions {
  readonly from?: readonly string[];
  readonly policy?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

export function define(command: Command, io: CommandIo): void {
  clusterOptions(command.command("report"))
    .description("Report what there is to do in clusters: images, pull policies, exemptions.")
    .addOption(fromOption())
    .option("--teams <file>", "File that says whose the workloads are: items are grouped by team")
    .addOption(policyOption())
    .addOption(timeOption())
    .addOption(new Option("-o, --output <format>", "Output format").choices([...outputs]).default("text"))
    .addOption(
      new Option("--fail-on <severity>", "Exit with status 1 if there is an item of this severity or higher").choices([
        ...severities,
      ]),
    )
    .option("--all", "Show every item, however many of a kind there are")
    .addHelpText(
      "after",
      examples(
        ["pulley fleet report --context eu --context us", "Report on two clusters of the kubeconfig"],
        ["pulley fleet report --from eu=eu.json --from us=us.json", "The same from lists in files"],
        [
          "kubectl get po,no,rs,deploy,sts,ds,jobs,cj -A -o json |\n    pulley fleet report --from prod=- --fail-on high",
          "Report on what kubectl prints, and fail if something is urgent",
        ],
      ),
    )
    .action(io.withStatus((options: ReportCommandOptions) => report(options, io)));
  command
    .command("blast-radius")
    .description("Show which workloads could not start, scale or move if a registry were down.")
    .argument("<registry>", "Host of the registry, or the beginning of a name: ghcr.io, ghcr.io/acme")
    .addOption(fromOption())
    .addOption(policyOption())
    .addOption(timeOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley fleet blast-radius docker.io --from eu.json", "Show what depends on Docker Hub in a cluster"],
        [
          "pulley fleet blast-radius ghcr.io/acme --from eu.json --policy policy.yaml",
          "The same for a part of it, with the mirrors of a policy",
        ],
      ),
    )
    .action(io.withStatus((registry: string, options: BlastRadiusOptions) => showBlastRadius(registry, options, io)));
  command
    .command("rbac")
    .description("Print the ClusterRole with the rights that the lists for a report need.")
    .addHelpText(
      "after",
      examples(
        ["pulley fleet rbac | kubectl apply -f -", "Create the role"],
        ["kubectl create clusterrolebinding fleet --clusterrole pulley-fleet --user jane", "Let somebody have it"],
      ),
    )
    .action(
      io.withStatus(() => {
        printText("stdout", fleetRole, io);
        return 0;
      }),
    );
}

async function report(options: ReportCommandOptions, io: CommandIo): Promise<number> {
  const { from, policy: path, failOn, at: now = Date.now() } = options;
  const apis = openClusters(options, io);
  const sources = clusterSources(from, apis);
  // Each workload says which cluster it is in; a name is given so that rules for clusters are not called idle.
  const policy = await loadPolicy({ policy: path, cluster: apis[0]?.name ?? sources[0]?.cluster }, io);
  const teams = teamsIn(options, io);
  const files = await readClusters(sources, io);
  const live = await readLiveClusters(apis, {
    namespaces: options.namespace,
    onFailure: (failure) => printClusterFailure(failure, io),
    progress: (text) => printOver(text, io),
    signal: io.interruption(),
  });
  printOver("", io);
  const { problems } = files;
  printProblems({ problems }, io);
  const found = fleetReport([...live.clusters, ...files.clusters], {
    policy: path === undefined ? undefined : policy,
    teams,
    incomplete: new Set([...live.incomplete, ...files.incomplete]),
    now,
  });
  for (const note of found.notes) warnOn(io)(note);
  await printReport(found, now, options, io);
  if (problems.length > 0) return inputInvalid;
  if (live.failures.length > 0) return Math.max(...live.failures.map(({ exitStatus }) => exitStatus));
  const worst = severities.slice(0, failOn === undefined ? 0 : severities.indexOf(failOn) + 1);
  return found.items.some(({ severity }) => worst.includes(severity)) ? 1 : 0;
}

async function showBlastRadius(registry: string, options: BlastRadiusOptions, io: Io): Promise<number> {
  const { from, policy: path, output, at: now = Date.now() } = options;
  const prefix = registryPrefix(registry);
  const sources = clusterSources(from);
  const policy = await loadPolicy({ policy: path, cluster: sources[0]?.cluster }, io);
  const { clusters, problems } = await readClusters(sources, io);
  printProblems({ problems }, io);
  const found = blastRadius(clusters, prefix, { policy, now });
  await print(output, found, () => blastRadiusLines(found, viewOf(io)), io);
  return problems.length > 0 ? inputInvalid : 0;
}

async function printReport(
  found: FleetReport,
  now: number,
  { output, all = false }: ReportCommandOptions,
  io: Io,
): Promise<void> {
  switch (output) {
    case "csv":
      printLines("stdout", fleetCsv(found), io);
      return;
    case "markdown":
      printLines("stdout", fleetMarkdown(found), io);
      return;
    default:
      await print(output, found, () => fleetLines(found, { ...viewOf(io), all, now }), io);
  }
}

/** @throws PulleyError `INPUT_INVALID`, after every mistake was printed with its place; `INPUT_UNREADABLE` */
function teamsIn({ teams: path }: ReportCommandOptions, io: Io): readonly Team[] {
  if (path === undefined) return [];
  const { file, text } = readInputFile(path);
  const { teams, problems } = readTeams(text, file);
  if (problems.length === 0) return teams;
  printProblems({ problems }, io);
  throw new PulleyError("INPUT_INVALID", `the file of teams ${path} has ${plural(problems.length, "problem")}`);
}

function viewOf(io: Io) {
  return { paint: paintFor(io.stdout, io), width: io.stdout.columns ?? 80 };
}

/** What whoever writes the lists for `pulley fleet` must be allowed to do: to list, and nothing else. */
const fleetRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: pulley-fleet
rules:
- apiGroups: [""]
  resources: [pods, nodes]
  verbs: [list]
- apiGroups: [apps]
  resources: [replicasets, deployments, statefulsets, daemonsets]
  verbs: [list]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [list]
`;
