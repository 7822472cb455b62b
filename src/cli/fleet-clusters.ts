/** The clusters of `pulley fleet`: those of API servers, and those that lists in files are of. */
import type { ClusterApi } from "../cluster/index.ts";
import { type Cluster, type ClusterSecrets, readLiveClusters } from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { shellWord } from "../support/format.ts";
import { type ClusterFlags, openClusters } from "./cluster-option.ts";
import { watchClusters } from "./cluster-progress.ts";
import { type ClusterSource, readClusters, sourceOf } from "./fleet-files.ts";
import type { CommandIo } from "./io.ts";
import { repeatedOption } from "./options.ts";
import { inputInvalid, printProblems } from "./problems.ts";

export interface FleetFlags extends ClusterFlags {
  readonly from?: readonly string[];
}

export function fromOption() {
  return repeatedOption(
    "--from <file>",
    "File with the pods, nodes, replicasets, deployments, statefulsets, daemonsets, jobs and cronjobs of a cluster, as kubectl get -A -o json prints them, or - for standard input; named as the file, or NAME=FILE; can be repeated",
  );
}

export interface OpenFleet {
  /** Those that are read from their API servers. `read` ends their connections; later calls open new ones. */
  readonly apis: readonly ClusterApi[];
  /** Each once; never empty. */
  readonly names: readonly string[];
  /**
   * Reads what is in them; with `secrets`, also the pull secrets that pods of live clusters name. What cannot be read is
   * told of, and the rest is read all the same. Call it once.
   */
  read(wanted?: { readonly secrets?: true | undefined }): Promise<ReadFleet>;
}

export interface ReadFleet {
  readonly clusters: readonly Cluster[];
  readonly secrets: ClusterSecrets;
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  /** What kubectl needs to reach those that were read from their API servers, by name. */
  readonly contexts: ReadonlyMap<string, string>;
  /** 0 if all was read; of several reasons why not, the one for which the user has most to do. */
  readonly status: number;
}

/** @throws PulleyError `USAGE` if there is no cluster, or two have one name; as {@link openClusters} */
export function openFleet({ from = [], ...flags }: FleetFlags, io: CommandIo): OpenFleet {
  const apis = openClusters(flags, io);
  const sources = from.map(sourceOf);
  const names = [...apis, ...sources].map(({ name }) => name);
  refuseNames(names);
  return { apis, names, read: (wanted = {}) => readFleet(apis, sources, { ...flags, ...wanted }, io) };
}

function refuseNames(names: readonly string[]): void {
  if (names.length === 0) {
    throw new PulleyError("USAGE", "there is no cluster to look at", {
      advice:
        "Name one with --context, or write kubectl get pods,nodes,… -A -o json into a file and give it with --from; --help of pulley fleet report has the whole line.",
    });
  }
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice === undefined) return;
  throw new PulleyError("USAGE", `two clusters have the name ${twice}`, {
    advice: "Give each a name of its own: --from eu=FILE --from us=FILE.",
  });
}

async function readFleet(
  apis: readonly ClusterApi[],
  sources: readonly ClusterSource[],
  { namespace: namespaces, kubeconfig, secrets }: ClusterFlags & { readonly secrets?: true | undefined },
  io: CommandIo,
): Promise<ReadFleet> {
  const files = await readClusters(sources, io);
  const watch = watchClusters(
    apis.map(({ name }) => name),
    "object",
    io,
  );
  const live = await readLiveClusters(apis, {
    namespaces,
    onFailure: watch.fail,
    onProgress: watch.note,
    pullSecrets: secrets && watch,
    signal: io.interruption(),
  }).finally(watch.end);
  printProblems({ problems: files.problems }, io);
  const statuses = live.failures.map(({ exitStatus }) => exitStatus);
  return {
    clusters: [...live.clusters, ...files.clusters],
    secrets: live.secrets,
    incomplete: new Set([...live.incomplete, ...files.incomplete]),
    contexts: new Map(apis.map(({ name }) => [name, kubectlFlags(name, kubeconfig)])),
    status: files.problems.length > 0 ? inputInvalid : Math.max(0, ...statuses),
  };
}

export function kubectlFlags(context: string, kubeconfig: string | undefined): string {
  const file = kubeconfig === undefined ? "" : `--kubeconfig ${shellWord(kubeconfig)} `;
  return `${file}--context ${shellWord(context)}`;
}
