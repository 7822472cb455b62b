import { type Command, InvalidArgumentError, Option } from "commander";
import type { PullSettings } from "../node/pull-settings.ts";
import type { PodStatus } from "../node/types.ts";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import type { Pod, PodContainer, PullPolicy } from "../workload/types.ts";
import { readInputs } from "./inputs.ts";
import { podLogins } from "./logins.ts";
import {
  examples,
  type LoginFlags,
  loginOptions,
  type OutputOptions,
  outputOption,
  type PlatformOptions,
  platformOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  rootOption,
} from "./options.ts";
import { print } from "./output.ts";
import { waiting } from "./pod-view.ts";
import { inputInvalid, printProblems } from "./problems.ts";
import { registryClient } from "./registry.ts";
import { podsFrom } from "./requests.ts";
import { type PodsResult, runPods } from "./run-pods.ts";
import { withStore } from "./store.ts";
import { interruption, paintFor, type Surroundings } from "./surroundings.ts";

interface RunOptions extends RootOptions, OutputOptions, PlatformOptions, RegistryFlags, LoginFlags {
  readonly pull?: PullPolicy;
  readonly once?: true;
  readonly runtime?: string;
  readonly parallel?: number;
  readonly registryQps?: number;
  readonly registryBurst?: number;
}

export function define(command: Command, surroundings: Surroundings): void {
  registryOptions(loginOptions(command))
    .argument("<file|image...>", "manifests (files, folders, - for standard input) or images")
    .addOption(
      new Option("--pull <policy>", "overrides what the pods say").choices(["Always", "IfNotPresent", "Never"]),
    )
    .option("--once", "end when every pod has settled")
    .option("--runtime <socket>", "a CRI runtime to start containers with")
    .option("--parallel <number>", "pulls at once, as maxParallelImagePulls; one after another if absent", readNumber)
    .option("--registry-qps <number>", "pulls that may begin in a second, 0 for no limit (default: 5)", readNumber)
    .option("--registry-burst <number>", "pulls that may begin at once after a quiet time (default: 10)", readNumber)
    .addOption(platformOption())
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley run --once pod.yaml", "what a kubelet would do with these pods, done, and shown until it has settled"],
        [
          "helm template ./chart | pulley run --pull Always -",
          "every image of a chart, each confirmed with its registry",
        ],
      ),
    )
    .action((words: string[], options: RunOptions) => run(words, options, surroundings));
}

async function run(words: readonly string[], options: RunOptions, surroundings: Surroundings): Promise<void> {
  if (options.runtime !== undefined) {
    throw new PulleyError("USAGE", "this version prepares images, but cannot start containers yet", {
      advice: "Run it without --runtime: every container ends as prepared, with its image on this machine.",
    });
  }
  const { pods, secrets, problems, warnings } = podsFrom(await readInputs(words, surroundings));
  printProblems({ problems, warnings }, surroundings);
  if (problems.length > 0) process.exitCode = inputInvalid;
  if (pods.length === 0) {
    if (problems.length > 0) return;
    throw new PulleyError("INPUT_INVALID", "there is no pod in the input", {
      advice: "Name a manifest with a pod or a workload, or an image.",
    });
  }
  const registry = registryClient(options);
  try {
    const result = await withStore(options.root, (store) =>
      runPods(
        {
          ...options,
          pods: pods.map((pod) => overridden(pod, options.pull)),
          secrets,
          store,
          registry,
          pulls: pullSettings(options),
          loginsFor: podLogins(options, surroundings),
          once: options.once === true,
          signal: interruption(),
        },
        surroundings,
      ),
    );
    await report(result, options, surroundings);
  } finally {
    await registry.close();
  }
}

/** Says what became of the pods; exit status 1 if any of them does not have its images. */
export async function report(
  { pods, events }: PodsResult,
  { output }: OutputOptions,
  surroundings: Surroundings,
): Promise<void> {
  const value = { apiVersion: "pulley.dev/v1alpha1", pods: pods.map(podValue), events };
  if (output !== "text") await print(output, value, () => [], surroundings);
  const held = pods.filter((status) => waiting(status).length > 0);
  const { stderr } = surroundings;
  const paint = paintFor(stderr, surroundings);
  for (const status of held) {
    for (const { name, state } of waiting(status)) {
      if (state.kind !== "waiting" || state.message === "") continue;
      const where = paint("bold", `${status.pod.namespace}/${status.pod.name}, ${name}:`);
      const advice = state.advice === undefined ? "" : `  ${paint("dim", printable(state.advice))}\n`;
      stderr.write(`\n${where} ${printable(state.message)}\n${advice}`);
    }
  }
  const prepared = pods.length - held.length;
  stderr.write(`\n${prepared} of ${pods.length} pods are prepared: their images are on this machine.\n`);
  if (prepared > 0)
    stderr.write(
      "Nothing was started: that takes a container runtime (--runtime unix:///run/containerd/containerd.sock).\n",
    );
  if (held.length > 0 && process.exitCode === undefined) process.exitCode = 1;
}

function podValue({ pod, phase, containers, imageVolumes, conditions }: PodStatus) {
  const { namespace, name, uid } = pod;
  return { namespace, name, uid, phase, containers, imageVolumes, conditions };
}

function pullSettings({ parallel, registryQps, registryBurst }: RunOptions): PullSettings {
  return { maxParallelImagePulls: parallel, registryPullQPS: registryQps, registryBurst };
}

/** As `docker run --pull`: the pod asks as if its manifest had said so. */
function overridden(pod: Pod, pullPolicy: PullPolicy | undefined): Pod {
  if (pullPolicy === undefined) return pod;
  const override = (container: PodContainer) => ({
    ...container,
    pullPolicy,
    request: { ...container.request, pullPolicy },
  });
  return { ...pod, containers: pod.containers.map(override), imageVolumes: pod.imageVolumes.map(override) };
}

function readNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("it is not a number");
  return number;
}
