import { setFlagsFromString } from "node:v8";
import { type Command, InvalidArgumentError, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import {
  fleetReport,
  type HistoryPlace,
  type InputReload,
  policyReportTaker,
  type ReportTaker,
  serveFleet,
  type Team,
  workloadCounts,
} from "../fleet/index.ts";
import type { Policy } from "../policy/index.ts";
import { systemClock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import { type ClusterFlags, clusterOptions } from "./cluster-option.ts";
import { kubectlFlags, openFleet } from "./fleet-clusters.ts";
import { type PolicyReportFlags, policyReportsOption, wantedGroup } from "./fleet-policy-reports.ts";
import { placeToRecord, type RecordFlags, recordIn, recordOptions } from "./history-option.ts";
import type { CommandIo } from "./io.ts";
import { readDuration } from "./kubelet-config-option.ts";
import { type LogFlags, logOptions, metricsHostOption, openCommandLog } from "./log-option.ts";
import { examples } from "./options.ts";
import { loadPolicyFiles, policyOption, watchPolicy } from "./policy-option.ts";
import { loadTeams, teamsOption } from "./teams-option.ts";
import { watchInput } from "./watched-input.ts";

interface ServeFlags extends ClusterFlags, PolicyReportFlags, RecordFlags, LogFlags {
  readonly teams?: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly metrics: string;
  readonly metricsHost?: readonly string[];
  readonly policy?: string;
}

const usualAddress = "127.0.0.1:9420";
/** Milliseconds: a reading is a list of every pod. */
const shortest = 10_000;

export function defineServe(command: Command, io: CommandIo): void {
  recordOptions(
    logOptions(
      clusterOptions(command.command("serve"))
        .description(
          "Report again and again: serve metrics and the report, write policy reports, and keep the history.",
        )
        .addOption(
          new Option("--interval <duration>", "Time between two readings of the clusters, such as 10m")
            .argParser(readInterval)
            .default(600_000, "10m"),
        )
        .addOption(
          new Option("--metrics <address>", "Address to serve /metrics, /report, /healthz and /readyz on").default(
            usualAddress,
            usualAddress,
          ),
        )
        .addOption(metricsHostOption())
        .addOption(teamsOption("items are counted by team"))
        .addOption(policyOption())
        .addOption(policyReportsOption()),
    ),
  )
    .addHelpText(
      "after",
      examples(
        ["pulley fleet serve --all-contexts --interval 10m", `Serve metrics and the report at http://${usualAddress}`],
        [
          "pulley fleet serve --context in-cluster --metrics 0.0.0.0:9420 \\\n    --policy-reports auto --log-format json",
          "In a pod: also write the items into the cluster",
        ],
      ),
    )
    .action(io.withStatus((flags: ServeFlags, called: Command) => serve(flags, called, io)));
}

/** Runs until a signal. */
async function serve(flags: ServeFlags, called: Command, io: CommandIo): Promise<number> {
  const { interval, metrics, metricsHost: hosts = [], namespace: namespaces, policy: path, policyReports } = flags;
  // V8 lets a heap grow to several times what is alive in it before it looks: the pages that are read, and what the last
  // report was made of. With 102 000 pods the whole is 360 MB so, for a few more seconds of a processor.
  setFlagsFromString("--heap-growing-percent=25");
  const log = openCommandLog(flags, io);
  const signal = io.interruption();
  const place = placeToRecord(flags, called, io);
  const { apis, names } = openFleet(flags, io);
  const inputs = await loadInputs({ policy: path, cluster: names[0], teams: flags.teams }, io);
  const group = wantedGroup(policyReports);
  const history = (into: HistoryPlace): ReportTaker => ({
    name: "history",
    async take(report, { clusters, now: at }) {
      const workloads = workloadCounts(clusters, inputs.teams());
      const run = { report, at, namespaces: namespaces ?? [], workloads, keep: flags.keep };
      const { report: joined, failure } = await recordIn(into, run);
      if (failure !== undefined) throw failure;
      return joined;
    },
  });
  const takers = [
    ...(place === undefined ? [] : [history(place)]),
    ...(policyReports === undefined ? [] : [policyReportTaker({ apis, group, namespaces, log, signal })]),
  ];
  const contexts = new Map(names.map((name) => [name, kubectlFlags(name, flags.kubeconfig)]));
  await serveFleet({
    apis,
    namespaces,
    interval,
    takers,
    report: ({ clusters, incomplete, now }) =>
      fleetReport(clusters, { policy: inputs.policy(), teams: inputs.teams(), incomplete, contexts, now }),
    watchInputs: (told) => inputs.watch(told, log),
    address: metrics,
    hosts,
    version: packageFile.version,
    clock: systemClock,
    log,
    signal,
  });
  return 0;
}

interface InputFlags {
  readonly policy: string | undefined;
  /** The name of the cluster, for rules that select clusters. */
  readonly cluster: string | undefined;
  readonly teams: string | undefined;
}

interface ServeInputs {
  /** `undefined`: none was given. */
  policy(): Policy | undefined;
  teams(): readonly Team[];
  /** Reads both again when they change; what is invalid leaves the last good one in force. @returns how to end that */
  watch(told: (reload: InputReload) => void, log: Log): () => void;
}

/** Throws as {@link loadPolicyFiles} and {@link loadTeams}. */
async function loadInputs({ policy: path, cluster, teams: file }: InputFlags, io: CommandIo): Promise<ServeInputs> {
  const { policy: given, files } = await loadPolicyFiles({ policy: path, cluster }, io);
  const loaded = file === undefined ? undefined : loadTeams(file, io);
  let policy = files === undefined ? undefined : given;
  let teams = loaded?.teams ?? [];
  return {
    policy: () => policy,
    teams: () => teams,
    watch(told, log) {
      const changesOf = <T>(input: InputReload["input"], take: (value: T) => void) => ({
        log: (line: string, level: "info" | "warn" | "error") => log[level](line),
        onChange: (value: T) => {
          take(value);
          told({ input, result: "success" });
        },
        onInvalid: () => told({ input, result: "failure" }),
      });
      const takePolicy = (changed: Policy) => {
        policy = changed;
      };
      const takeTeams = (changed: readonly Team[]) => {
        teams = changed;
      };
      const watches = [
        files && watchPolicy(files, changesOf("policy", takePolicy), systemClock),
        loaded && watchInput(loaded.files, changesOf("teams", takeTeams), systemClock),
      ];
      return () => {
        for (const each of watches) each?.stop();
      };
    },
  };
}

function readInterval(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds >= shortest) return milliseconds;
  throw new InvalidArgumentError(`it is less than ${shortest / 1000}s`);
}
