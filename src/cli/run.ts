import { type Command, InvalidArgumentError, Option } from "commander";
import { givenAccounts } from "../credentials/index.ts";
import { openRuntime } from "../daemon/index.ts";
import type { GivenConfiguration } from "../kubelet-config/index.ts";
import type { ContainersOptions } from "../pods/index.ts";
import type { ImageStore } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import type { PullPolicy } from "../workload/index.ts";
import { readInputs } from "./inputs.ts";
import { type CommandIo, type Io } from "./io.ts";
import { type KubeletConfigOptions, kubeletConfigOption, loadKubeletConfiguration } from "./kubelet-config-option.ts";
import { podLogins, providerNotes, refuseSharedLogin } from "./logins.ts";
import {
  type CommonOptions,
  type ContentSharingOptions,
  type CredentialProviderFlags,
  commonOptions,
  contentSharingOption,
  credentialProviderOptions,
  examples,
  type FilenameFlags,
  filenameOption,
  namedFiles,
  runtimeOption,
} from "./options.ts";
import { loadPolicyFiles } from "./policy-option.ts";
import { warnOn } from "./printing.ts";
import { inputInvalid, printProblems } from "./problems.ts";
import { machineHosts, registryClient } from "./registry.ts";
import { podsFrom, startablePodsFrom, withPullPolicy } from "./requests.ts";
import { report, runPods } from "./run-pods.ts";
import { withStore } from "./store.ts";

interface RunFlags
  extends CommonOptions,
    CredentialProviderFlags,
    KubeletConfigOptions,
    ContentSharingOptions,
    FilenameFlags {
  readonly pull?: PullPolicy;
  readonly once?: true;
  readonly runtime?: string;
  readonly keep?: true;
  readonly parallel?: number;
  readonly registryQps?: number;
  readonly registryBurst?: number;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("[file|image...]", "Manifests (files, directories, - for standard input) or images")
    .addOption(filenameOption())
    .addOption(
      new Option("--pull <policy>", "Pull policy for all containers, overriding the one in the manifest").choices([
        "Always",
        "IfNotPresent",
        "Never",
      ]),
    )
    .option("--once", "Exit when all pods have settled")
    .addOption(
      runtimeOption(
        "Socket of containerd, to use its images and start containers; without it, no container is started",
      ),
    )
    .option("--keep", "Leave containers running on exit; a later run with the same input finds them again")
    .option(
      "--parallel <number>",
      "Maximum number of parallel pulls (maxParallelImagePulls); without it, one pull at a time",
      readNumber,
    )
    .option(
      "--registry-qps <number>",
      "Maximum number of pulls started per second; 0: no limit (default: 5)",
      readNumber,
    )
    .option("--registry-burst <number>", "Maximum burst of pulls started at once (default: 10)", readNumber)
    .addOption(kubeletConfigOption())
    .addOption(contentSharingOption());
  credentialProviderOptions(commonOptions(command, io))
    .addHelpText(
      "after",
      examples(
        [
          "pulley run --runtime unix:///run/containerd/containerd.sock pod.yaml",
          "Start the containers of a pod, until Ctrl-C",
        ],
        ["pulley run --once pod.yaml", "Pull the images of a pod as a kubelet would, then exit"],
        [
          "helm template ./chart | pulley run --pull Always -",
          "Pull the images of a chart, confirming each with its registry",
        ],
      ),
    )
    .action(io.withStatus((words: string[], options: RunFlags) => run(words, options, io)));
}

async function run(words: readonly string[], options: RunFlags, io: CommandIo): Promise<number> {
  const inputs = await readInputs(namedFiles(words, options), io);
  const expanded = options.runtime === undefined ? podsFrom(inputs) : startablePodsFrom(inputs);
  const { pods, secrets, serviceAccounts, objects, problems, warnings } = expanded;
  printProblems({ problems, warnings }, io);
  if (pods.length === 0) {
    if (problems.length > 0) return inputInvalid;
    throw new PulleyError("INPUT_INVALID", "there is no pod in the input", {
      advice: "Name a manifest with a pod or a workload, or an image.",
    });
  }
  const wanted = pods.flatMap(({ containers, imageVolumes }) => [...containers, ...imageVolumes]);
  refuseSharedLogin(
    wanted.map(({ request }) => request.image),
    options,
  );
  const { pull: override } = options;
  const { policy, files } = await loadPolicyFiles(options, io);
  const kubelet = loadKubeletConfiguration(options, givenPullSettings(options), io);
  const notes = providerNotes(io);
  const loginsFor = await podLogins(options, io, {
    accounts: givenAccounts(serviceAccounts),
    onNote: notes.onNote,
  });
  const registry = registryClient(options);
  try {
    const result = await withImages(options, io, (store, containers) =>
      runPods(
        {
          ...options,
          policy,
          policyFiles: files,
          pods: override === undefined ? pods : pods.map((pod) => withPullPolicy(pod, override)),
          secrets,
          objects,
          store,
          registry,
          kubelet,
          hosts: machineHosts(options, warnOn(io)),
          containers,
          loginsFor,
          notes,
          once: options.once === true,
          keep: options.keep === true,
          signal: io.interruption(),
          clock: systemClock,
        },
        io,
      ),
    );
    const held = await report(result, options, io);
    if (result.leftBehind !== undefined) throw result.leftBehind;
    if (problems.length > 0) return inputInvalid;
    return held > 0 ? 1 : 0;
  } finally {
    await registry.close();
  }
}

/** The images of the container runtime if `--runtime` is given, else those of the store. */
async function withImages<Result>(
  options: RunFlags,
  io: Io,
  use: (store: ImageStore, containers: ContainersOptions | undefined) => Promise<Result>,
): Promise<Result> {
  const { root, runtime: socket } = options;
  if (socket === undefined) return withStore(root, io, (store) => use(store, undefined));
  const runtime = await openRuntime(socket, options, warnOn(io));
  try {
    return await use(runtime.store, runtime.containers);
  } finally {
    await runtime.close();
  }
}

function givenPullSettings({ parallel, registryQps, registryBurst }: RunFlags): GivenConfiguration {
  return { maxParallelImagePulls: parallel, registryPullQPS: registryQps, registryBurst };
}

function readNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("it is not a number");
  return number;
}
