/** The clusters of a command: the options that name them, as kubectl's do. */
import { type Command, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { type ClusterApi, openContexts } from "../cluster/index.ts";
import { PulleyError } from "../support/errors.ts";
import { homeFolder } from "../support/home.ts";
import type { Io } from "./io.ts";
import { repeatedOption } from "./options.ts";
import { warnOn } from "./printing.ts";

export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: readonly string[];
  readonly allContexts?: true;
  readonly namespace?: readonly string[];
}

export function clusterOptions(command: Command): Command {
  return command
    .addOption(
      repeatedOption(
        "--context <name>",
        "Read the workloads of the cluster of this context; in a pod without a kubeconfig, in-cluster is the pod's own; can be repeated",
      ),
    )
    .option("--all-contexts", "Read the workloads of the clusters of all contexts")
    .addOption(
      new Option(
        "--kubeconfig <file>",
        "Kubeconfig file (default: those of KUBECONFIG, or ~/.kube/config); without --context, its current context is read",
      ),
    )
    .addOption(
      repeatedOption("-n, --namespace <name>", "Read this namespace of clusters alone; can be repeated (default: all)"),
    );
}

export function secretsOption(): Option {
  return new Option(
    "--secrets",
    "Ask registries with the pull secrets of the workloads in clusters; takes the right to get Secrets and ServiceAccounts by name",
  );
}

export function isClusterWanted({ kubeconfig, context, allContexts }: ClusterFlags): boolean {
  return kubeconfig !== undefined || context !== undefined || allContexts === true;
}

/** @throws PulleyError `USAGE` */
function refuseConflicts(flags: ClusterFlags): void {
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (flags.allContexts && flags.context !== undefined) {
    throw refuse("--context and --all-contexts cannot be used together", "Give one of them.");
  }
  if (flags.namespace !== undefined && !isClusterWanted(flags)) {
    throw refuse("--namespace is given without a cluster", "Name one with --context.");
  }
}

/**
 * The clusters that the options name; none where they name none. No cluster is asked yet; each is to be closed.
 * @throws PulleyError `USAGE`, `INPUT_UNREADABLE`, `INPUT_INVALID`
 */
export function openClusters(flags: ClusterFlags, io: Io): readonly ClusterApi[] {
  const { kubeconfig: file, context: names = [], allContexts: all = false } = flags;
  refuseConflicts(flags);
  if (!isClusterWanted(flags)) return [];
  const { environment } = io;
  const userAgent = `pulley/${packageFile.version} (${process.platform}/${process.arch})`;
  const home = homeFolder(environment["HOME"]);
  return openContexts({ file, names, all }, { environment, home, warn: warnOn(io), userAgent });
}
