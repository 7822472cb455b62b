/** The policy that a command goes by. */
import { InvalidArgumentError, Option } from "commander";
import { parseMoment } from "../policy/language/moment.ts";
import { kubernetesOnly, type Policy } from "../policy/types.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/plural.ts";
import { type InputText, readManifestFiles } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";

export interface PolicyOptions {
  readonly policy?: string | undefined;
  readonly cluster?: string | undefined;
}

export function policyOption(): Option {
  return new Option(
    "--policy <path>",
    "the policy: a file, or a folder of files; without one, Kubernetes' own behaviour",
  ).env("PULLEY_POLICY");
}

/** Whoever takes a policy takes this, too: rules may be about some clusters only. */
export function clusterOption(): Option {
  return new Option(
    "--cluster <name>",
    "the cluster's name, for rules with clusters; without one, they match nothing",
  ).env("PULLEY_CLUSTER");
}

/** For those that only say what would be: windows, freezes and exemptions can be tried before their day. */
export function timeOption(): Option {
  return new Option(
    "--at <time>",
    "decide as of then: 2026-12-24T18:00:00+01:00, or a day (its beginning in UTC); now, if absent",
  ).argParser(readTime);
}

/** Milliseconds since the epoch. @throws InvalidArgumentError */
function readTime(text: string): number {
  const parsed = parseMoment(text);
  if ("problem" in parsed) throw new InvalidArgumentError(`${parsed.problem}.`);
  return parsed.value.kind === "day" ? parsed.value.midnight : parsed.value.at;
}

/** A policy, and what it was read from. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** Absent where no policy was named. */
  readonly files: PolicyFiles | undefined;
}

export interface PolicyFiles {
  /** A file or a folder. */
  readonly path: string;
  /** What was in it. */
  readonly texts: readonly InputText[];
  /** The name of the cluster that it is read for. */
  readonly cluster: string | undefined;
}

/** The texts of a policy. @throws PulleyError `INPUT_INVALID` if there are none in a folder; `INPUT_UNREADABLE` */
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

/** An environment variable that is empty names nothing. */
export function namedCluster(given: string | undefined): string | undefined {
  return given === "" ? undefined : given;
}

/** For those who go on looking at the files. Throws as {@link loadPolicy}. */
export async function loadPolicyFiles({ policy: path, cluster: given }: PolicyOptions, io: Io): Promise<LoadedPolicy> {
  const cluster = namedCluster(given);
  if (path === undefined) return { policy: { ...kubernetesOnly, cluster }, files: undefined };
  // The language takes longer to load than many commands take: only those who have a policy pay for it.
  const { readPolicy } = await import("../policy/language/read.ts");
  const texts = readPolicyFiles(path);
  const { policy, problems, warnings } = readPolicy(texts, cluster);
  printProblems({ problems, warnings }, io);
  if (problems.length === 0) return { policy, files: { path, texts, cluster } };
  throw new PulleyError("INPUT_INVALID", `the policy ${path} has ${plural(problems.length, "problem")}`);
}
