import { type Command, Option } from "commander";
import {
  addCost,
  type Cost,
  createReplay,
  decide,
  type LocalFacts,
  noCost,
  type PastRequest,
  type Policy,
  type Replay,
  type Verdict,
  verdictOf,
  warningText,
} from "../policy/index.ts";
import { readDecisionFile, readDecisions } from "../pull/index.ts";
import { PulleyError } from "../support/errors.ts";
import { formatBytes } from "../support/format.ts";
import { columns, printable } from "../support/terminal.ts";
import { clusterOptions } from "./cluster-option.ts";
import { fromOption } from "./fleet-clusters.ts";
import { readInputs } from "./inputs.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import { type OpenfaasFlags, openfaasOption } from "./openfaas-option.ts";
import { examples, type FilenameFlags, filenameOption, outputOption, type RootOptions, rootOption } from "./options.ts";
import { print } from "./output.ts";
import { clusterOption, loadPolicy, timeOption } from "./policy-option.ts";
import { printLine } from "./printing.ts";
import { inputInvalid, printProblems } from "./problems.ts";
import { requestsFrom } from "./requests.ts";
import { isOfFleet, type SimulateFleetOptions, simulateClusters } from "./simulate-fleet.ts";
import { teamsOption } from "./teams-option.ts";

interface SimulateOptions extends RootOptions, FilenameFlags, SimulateFleetOptions, OpenfaasFlags {
  readonly cluster?: string;
  readonly record?: string;
}

/** Decisions about the same image for the same workload that change, or get warnings, in the same way: one line of the table. */
interface ChangedDecision {
  count: number;
  readonly image: string;
  readonly workload: string;
  readonly before: string;
  readonly after: string;
  readonly message: string;
  readonly rules: readonly string[];
}

interface Simulation {
  decisions: number;
  /** Decisions that change. */
  changed: number;
  /** Decisions with new warnings, whether they change or not. */
  newlyWarned: number;
  from: number | undefined;
  to: number | undefined;
  before: Cost;
  after: Cost;
  /** Requests that would be newly refused. */
  newlyRefused: number;
  readonly changes: Map<string, ChangedDecision>;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("[path...]", "Manifests to decide on (default: the recorded decisions of this node)")
    .addOption(
      new Option("--policy <path>", "Policy to try: a file, or a directory of files")
        .env("PULLEY_POLICY")
        .makeOptionMandatory(),
    )
    .addOption(clusterOption())
    .addOption(timeOption())
    .addOption(openfaasOption())
    .addOption(filenameOption())
    .option(
      "--against <path>",
      "Current policy to compare with, for manifests and clusters; without it, the defaults of Kubernetes",
    )
    .option("--record <file>", "File with the recorded decisions of another node")
    .addOption(outputOption())
    .addOption(rootOption());
  clusterOptions(command)
    .addOption(fromOption())
    .addOption(teamsOption("changes are counted by team"))
    .addHelpText(
      "after",
      examples(
        ["pulley simulate --policy new.yaml", "Show which decisions of this node a new policy would have changed"],
        ["pulley simulate --policy new.yaml --against old.yaml deploy/", "Compare two policies for manifests"],
        [
          "pulley simulate --policy new.yaml --context eu --teams teams.yaml",
          "Show what it would change for what runs in a cluster, by team",
        ],
      ),
    )
    .action(io.withStatus((paths: string[], options: SimulateOptions) => simulate(paths, options, io)));
}

async function simulate(paths: readonly string[], options: SimulateOptions, io: CommandIo): Promise<number> {
  const named = [...paths, ...(options.filename ?? [])];
  if (isOfFleet(named, options)) return simulateClusters(options, io);
  const policy = await loadPolicy(options, io);
  const { past, status } =
    named.length > 0 ? await fromManifests(named, options, io) : { past: fromRecords(options, io), status: 0 };
  const result: Simulation = {
    decisions: 0,
    changed: 0,
    newlyWarned: 0,
    from: undefined,
    to: undefined,
    newlyRefused: 0,
    before: noCost,
    after: noCost,
    changes: new Map(),
  };
  const replay = createReplay(policy);
  for await (const request of past) count(result, replay(request));
  if (result.decisions === 0) {
    throw new PulleyError("INPUT_INVALID", "there is no decision to try the policy on", {
      advice: "Let pods run with pulley run, which records its decisions, or name manifests.",
    });
  }
  await print(options.output, valueOf(result), () => linesOf(result, io), io);
  return status === 0 && result.newlyRefused > 0 ? 1 : status;
}

async function* fromRecords({ root, record, at }: SimulateOptions, io: Io): AsyncGenerator<PastRequest> {
  const entries = record === undefined ? readDecisions(root) : readDecisionFile(record);
  let later: number | undefined;
  for await (const entry of entries) {
    if (entry.kind === "unreadable") {
      printLine("stderr", `warning: ${entry.file}:${entry.line}: ${entry.problem}`, io);
      continue;
    }
    const { request, facts, time, decision, outcome } = entry.record;
    later ??= at === undefined ? 0 : at - time;
    const then = { facts: shifted(facts, later), time: time + later };
    yield {
      request,
      ...then,
      verdict: { ...decision, warnings: decision.warnings?.length ?? 0 },
      isRecorded: true,
      fetched: outcome.fetched,
    };
  }
}

/** The first recorded decision is moved to the time of `--at`; all other times are moved by the same amount. */
function shifted(facts: LocalFacts, later: number): LocalFacts {
  if (facts.presence !== "present" || facts.confirmedAt === undefined) return facts;
  return { ...facts, confirmedAt: facts.confirmedAt + later };
}

/** Manifests have no machine, so both policies decide without knowing what is in a store. */
async function fromManifests(
  paths: readonly string[],
  { against, cluster, at, openfaasImagePullPolicy }: SimulateOptions,
  io: Io,
): Promise<{ readonly past: readonly PastRequest[]; readonly status: number }> {
  const now: Policy = await loadPolicy({ policy: against, cluster }, io);
  const { requests, problems, warnings } = requestsFrom(await readInputs(paths, io), now, openfaasImagePullPolicy);
  printProblems({ problems, warnings }, io);
  const [facts, time] = [{ presence: "unknown" } as const, at ?? Date.now()];
  const past = requests.map((request) => ({
    request,
    facts,
    time,
    verdict: verdictOf(decide(request, now, facts, time)),
    isRecorded: false,
    fetched: 0,
  }));
  return { past, status: problems.length > 0 ? inputInvalid : 0 };
}

function count(result: Simulation, one: Replay): void {
  const { past, before, after, decision, changed, newlyWarned } = one;
  result.decisions += 1;
  result.from = Math.min(result.from ?? past.time, past.time);
  result.to = Math.max(result.to ?? past.time, past.time);
  result.before = addCost(result.before, one.costBefore);
  result.after = addCost(result.after, one.costAfter);
  if (changed) result.changed += 1;
  if (newlyWarned) result.newlyWarned += 1;
  if (!changed && before.warnings === after.warnings) return;
  if (after.action === "Refuse" && before.action !== "Refuse") result.newlyRefused += 1;
  const { kind, namespace, name } = past.request.workload;
  const change: ChangedDecision = {
    count: 1,
    image: past.request.image.given,
    workload: `${kind} ${namespace}/${name}`,
    before: wordsOf(before),
    after: wordsOf(after),
    message: [decision.message, ...decision.trial.warnings.map(warningText)].join("; "),
    rules: [...new Set([...decision.trace, ...decision.trial.warnings].flatMap(({ rule }) => rule ?? []))],
  };
  const key = JSON.stringify([change.image, change.workload, change.before, change.after, change.rules]);
  const known = result.changes.get(key);
  if (known === undefined) result.changes.set(key, change);
  else known.count += 1;
}

function wordsOf({ action, reason, pullPolicy, warnings }: Verdict): string {
  return reason ?? `${pullPolicy}, ${action}${warnings > 0 ? ", warned" : ""}`;
}

function valueOf({ from, to, changes, ...sums }: Simulation) {
  const day = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "Simulation",
    ...sums,
    from: day(from),
    to: day(to),
    changes: sorted(changes),
  };
}

function sorted(changes: Simulation["changes"]): ChangedDecision[] {
  return [...changes.values()].toSorted((one, other) => other.count - one.count);
}

function linesOf(result: Simulation, io: Io): string[] {
  const { decisions, changed, newlyWarned, before, after, changes } = result;
  const paint = paintFor(io.stdout, io);
  const difference = (from: number, to: number, format: (value: number) => string) =>
    from === to ? "" : `${to > from ? "+" : "−"}${format(Math.abs(to - from))}`;
  const row = (title: string, of: keyof Cost, format: (value: number) => string = String) => [
    title,
    format(before[of]),
    format(after[of]),
    difference(before[of], after[of], format),
  ];
  const sums = columns([
    ["", "NOW", "THEN", "CHANGE"],
    row("registry asked", "asked"),
    row("pulls", "pulls"),
    row("bytes pulled", "bytes", formatBytes),
    row("refused", "refused"),
    row("warned", "warned"),
  ]);
  const list = sorted(changes).map((change) => [
    String(change.count),
    printable(change.image),
    printable(change.workload),
    `${change.before} → ${paint("bold", change.after)}`,
    change.rules.join(", "),
  ]);
  const table = columns([["COUNT", "IMAGE", "WORKLOAD", "DECISION", "RULES"], ...list]);
  return [
    `${changed} of ${decisions} decisions would change${newlyWarned > 0 ? `, and ${newlyWarned} would be newly warned about` : ""}.`,
    "",
    ...sums,
    ...(list.length > 0 ? ["", ...table] : []),
  ];
}
