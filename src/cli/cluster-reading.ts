/** Reading clusters side by side. */
import { type ClusterApi, clustersAtOnce } from "../cluster/index.ts";
import { readAhead } from "../support/concurrency.ts";
import { isPulleyError, type PulleyError } from "../support/errors.ts";
import { type ClusterProgress, watchClusters } from "./cluster-progress.ts";
import type { CommandIo } from "./io.ts";

export interface Reading {
  readonly watch: ClusterProgress;
  /** To be called with what could not be read of a cluster where the rest can be. */
  readonly onFailure: (failure: PulleyError) => void;
  readonly signal: AbortSignal;
}

/**
 * What `read` gives of each cluster, in the order of the clusters. One that cannot be read is told of, and the others
 * follow; each is closed.
 * @param noun what is counted on the terminal: `workload`
 * @param onFailure called after a failure was printed
 * @throws PulleyError `CANCELLED`
 */
export async function* readSideBySide<Value>(
  apis: readonly ClusterApi[],
  read: (api: ClusterApi, reading: Reading) => AsyncIterable<Value>,
  noun: string,
  onFailure: (failure: PulleyError) => void,
  io: CommandIo,
): AsyncGenerator<Value> {
  if (apis.length === 0) return;
  const names = apis.map(({ name }) => name);
  const watch = watchClusters(names, noun, io);
  const signal = io.interruption();
  const fail = (failure: PulleyError) => {
    watch.fail(failure);
    onFailure(failure);
  };

  async function* asFarAsItGoes(api: ClusterApi): AsyncGenerator<Value> {
    try {
      watch.note(api.name, 0, false);
      yield* read(api, { watch, onFailure: fail, signal });
    } catch (error) {
      if (!isPulleyError(error) || signal.aborted) throw error;
      fail(error);
    }
  }

  try {
    yield* readAhead(apis.map(asFarAsItGoes), clustersAtOnce);
  } finally {
    watch.end();
    for (const api of apis) api.close();
  }
}
