/** The policy of a command: options, loading, and reloading when its files change. */
import { InvalidArgumentError, Option } from "commander";
import { kubernetesOnly, type Policy, parseMoment, type readPolicy } from "../policy/index.ts";
import type { Clock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { type InputText, readManifestFiles } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";
import { type InputChanges, type InputWatch, watchInput } from "./watched-input.ts";

export interface PolicyOptions {
  readonly policy?: string | undefined;
  readonly cluster?: string | undefined;
}

export function policyOption(): Option {
  return new Option(
    "--policy <path>",
    "Policy to apply: a file, or a directory of files; without it, the defaults of Kubernetes apply",
  ).env("PULLEY_POLICY");
}

/** For every command with a policy: rules may select clusters. */
export function clusterOption(): Option {
  return new Option(
    "--cluster <name>",
    "Name of the cluster, for rules that select clusters; without it, those rules never match",
  ).env("PULLEY_CLUSTER");
}

/** For commands that pull nothing: windows, freezes and exemptions can be tried before their day. */
export function timeOption(): Option {
  return new Option(
    "--at <time>",
    "Decide as of this time: 2026-12-24T18:00:00+01:00, or a date (midnight UTC) (default: now)",
  ).argParser(readTime);
}

/** Milliseconds since the epoch. @throws InvalidArgumentError */
function readTime(text: string): number {
  const parsed = parseMoment(text);
  if ("problem" in parsed) throw new InvalidArgumentError(`${parsed.problem}.`);
  return parsed.value.kind === "day" ? parsed.value.midnight : parsed.value.at;
}

/** A policy, and the files that it was read from. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** `undefined` if no policy was given. */
  readonly files: PolicyFiles | undefined;
}

export interface PolicyFiles {
  /** A file or a directory. */
  readonly path: string;
  /** The content of the files. */
  readonly texts: readonly InputText[];
  /** The name of the cluster. */
  readonly cluster: string | undefined;
  /** Parses the texts. It is loaded only with a policy, for loading the language takes longer than many commands do. */
  readonly read: typeof readPolicy;
}

/** The texts of a policy. @throws PulleyError `INPUT_INVALID` if a directory has none; `INPUT_UNREADABLE` */
export function readPolicyFiles(path: string): InputText[] {
  const texts = readManifestFiles(path);
  if (texts.length > 0) return texts;
  throw new PulleyError(
    "INPUT_INVALID",
    `there is no policy in ${path}: it has no file ending in .yaml, .yml or .json`,
    {
      advice: "Write one with pulley policy init FILE.",
    },
  );
}

/** @throws PulleyError `INPUT_INVALID`, after every problem was printed with its place; `INPUT_UNREADABLE` */
export async function loadPolicy(options: PolicyOptions, io: Io): Promise<Policy> {
  return (await loadPolicyFiles(options, io)).policy;
}

/** An empty environment variable is no name. */
export function namedCluster(given: string | undefined): string | undefined {
  return given === "" ? undefined : given;
}

/** For commands that watch the files. Throws as {@link loadPolicy}. */
export async function loadPolicyFiles({ policy: path, cluster: given }: PolicyOptions, io: Io): Promise<LoadedPolicy> {
  const cluster = namedCluster(given);
  if (path === undefined) return { policy: { ...kubernetesOnly, cluster }, files: undefined };
  const { readPolicy: read } = await import("../policy/language/read.ts");
  const texts = readPolicyFiles(path);
  const { policy, problems, warnings } = read(texts, cluster);
  printProblems({ problems, warnings }, io);
  if (problems.length === 0) return { policy, files: { path, texts, cluster, read } };
  throw new PulleyError("INPUT_INVALID", `the policy ${path} has ${plural(problems.length, "problem")}`);
}

/** Reloads the policy when its files differ from those that it was read from, also if they changed before the watch began. */
export function watchPolicy(
  { path, texts: first, cluster, read }: PolicyFiles,
  changes: InputChanges<Policy>,
  clock: Clock,
): InputWatch {
  const parse = (texts: readonly InputText[]) => {
    const { policy: value, problems, warnings } = read(texts, cluster);
    return { value, problems, warnings };
  };
  return watchInput({ what: `the policy ${path}`, first, read: () => readPolicyFiles(path), parse }, changes, clock);
}
