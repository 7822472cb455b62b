/** Clusters as lists in files and on standard input, each read with little memory. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Cluster, createInventory, readDump } from "../fleet/index.ts";
import { errnoOf, errorText, isPulleyError } from "../support/errors.ts";
import { openInput, piecesOf } from "../support/input-file.ts";
import type { Problem } from "../workload/index.ts";
import type { Io } from "./io.ts";
import { printOver } from "./printing.ts";

/** A list, and the name of the cluster that it is of. */
export interface ClusterSource {
  readonly name: string;
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

/** `NAME=FILE`, or a file that the cluster is named as. */
export function sourceOf(given: string): ClusterSource {
  const [, name = "", path = ""] = /^([^=/\\]+)=(.+)$/s.exec(given) ?? [];
  const file = name === "" || existsSync(given) ? given : path;
  if (file !== given) return { name, file };
  return { name: file === "-" ? "stdin" : basename(file).replace(/\.json$/i, ""), file };
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
    if (read.problems.length > 0) incomplete.add(source.name);
  }
  printOver("", io);
  return { clusters, problems, incomplete };
}

/** Problems of single objects that are told of; a file that has more of them is of another kind altogether. */
const mostProblems = 20;
/** Objects between two progress lines. */
const progressEvery = 5000;

async function readSource({ name: cluster, file }: ClusterSource, io: Io) {
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
