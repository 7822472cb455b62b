/** The clusters of `pulley fleet`: lists in files, on standard input and of API servers, each read with little memory. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { ClusterApi } from "../cluster/index.ts";
import { type Cluster, createInventory, readDump } from "../fleet/index.ts";
import { errnoOf, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { openInput, piecesOf } from "../support/input-file.ts";
import type { Problem } from "../workload/index.ts";
import type { Io } from "./io.ts";
import { repeatedOption } from "./options.ts";
import { printOver } from "./printing.ts";

/** A list, and the name of the cluster that it is of. */
export interface ClusterSource {
  readonly cluster: string;
  /** A path, or `-` for standard input. */
  readonly file: string;
}

export interface ReadClusters {
  readonly clusters: readonly Cluster[];
  /** What could not be read; the rest of the cluster was. */
  readonly problems: readonly Problem[];
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
}

export function fromOption() {
  return repeatedOption(
    "--from <file>",
    "File with the pods, nodes, replicasets, deployments, statefulsets, daemonsets, jobs and cronjobs of a cluster, as kubectl get -A -o json prints them, or - for standard input; named as the file, or NAME=FILE; can be repeated",
  );
}

/**
 * @param live the clusters that are read from their API servers
 * @throws PulleyError `USAGE` if there is no cluster, or two have one name
 */
export function clusterSources(
  given: readonly string[] = [],
  live: readonly ClusterApi[] = [],
): readonly ClusterSource[] {
  if (given.length + live.length === 0) {
    throw new PulleyError("USAGE", "there is no cluster to look at", {
      advice:
        "Name one with --context, or write kubectl get pods,nodes,… -A -o json into a file and give it with --from; --help has the whole line.",
    });
  }
  const sources = given.map(sourceOf);
  const names = [...live.map(({ name }) => name), ...sources.map(({ cluster }) => cluster)];
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice === undefined) return sources;
  throw new PulleyError("USAGE", `two clusters have the name ${twice}`, {
    advice: "Give each a name of its own: --from eu=FILE --from us=FILE.",
  });
}

function sourceOf(given: string): ClusterSource {
  const [, name = "", path = ""] = /^([^=/\\]+)=(.+)$/s.exec(given) ?? [];
  const file = name === "" || existsSync(given) ? given : path;
  if (file !== given) return { cluster: name, file };
  return { cluster: file === "-" ? "stdin" : basename(file).replace(/\.json$/i, ""), file };
}

/** One after another. What cannot be read is a problem, and the other clusters are read all the same. */
export async function readClusters(sources: readonly ClusterSource[], io: Io): Promise<ReadClusters> {
  const clusters: Cluster[] = [];
  const problems: Problem[] = [];
  const incomplete = new Set<string>();
  for (const source of sources) {
    const read = await readSource(source, io);
    clusters.push(read.cluster);
    problems.push(...read.problems);
    if (read.problems.length > 0) incomplete.add(source.cluster);
  }
  printOver("", io);
  return { clusters, problems, incomplete };
}

/** Problems of single objects that are told of; a file that has more of them is of another kind altogether. */
const mostProblems = 20;
/** Objects between two progress lines. */
const progressEvery = 5000;

async function readSource({ cluster, file }: ClusterSource, io: Io) {
  const inventory = createInventory(cluster);
  const problems: Problem[] = [];
  let objects = 0;
  try {
    const read = await readDump(await bytesOf(file, io), file, ({ value, impliedKind, place }) => {
      objects += 1;
      if (objects % progressEvery === 0) printOver(`${cluster}: ${objects} objects`, io);
      const message = inventory.add(value, impliedKind);
      if (message !== undefined && problems.length < mostProblems)
        problems.push({ source: { file, ...place }, message });
    });
    if (read.problem !== undefined) problems.push(read.problem);
  } catch (error) {
    if (!isPulleyError(error) && errnoOf(error) === undefined) throw error;
    const why = errnoOf(error) === "ENOENT" ? "no such file" : errorText(error);
    problems.push({ source: { file, line: 1, column: 1 }, message: `cannot be read: ${why}` });
  }
  return { cluster: inventory.finish(), problems };
}

async function bytesOf(file: string, { stdin }: Io): Promise<AsyncIterable<Uint8Array>> {
  if (file === "-") return bytesIn(stdin);
  return piecesOf(await openInput(file, { mayBePipe: true }));
}

/** A stream of a test has texts in it. */
async function* bytesIn(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of stream)
    yield typeof piece === "string" || piece instanceof Uint8Array ? Buffer.from(piece) : Buffer.alloc(0);
}
