/** What `pulley audit` reads of clusters: each workload once, the owner at the top, as a text of its own. */
import { type AuditInput, objectName } from "../audit/index.ts";
import { type ClusterApi, readWorkloads } from "../cluster/index.ts";
import { textAt } from "../support/json-record.ts";
import { type ClusterFlags, openClusters } from "./cluster-option.ts";
import { type Reading, readSideBySide } from "./cluster-reading.ts";
import type { CommandIo } from "./io.ts";

export interface LiveAudit {
  /** Names of contexts; empty without a cluster. */
  readonly names: readonly string[];
  /** In the order of the options. A cluster that cannot be read is told of, and the others follow. */
  inputs(): AsyncIterable<AuditInput>;
  /** Clusters of which anything could be read. */
  read(): number;
  /** The exit status: 0 if all of them could be read. */
  status(): number;
}

/** @throws PulleyError as {@link openClusters} */
export function openLiveAudit(flags: ClusterFlags, io: CommandIo): LiveAudit {
  const clusters = openClusters(flags, io);
  const read = new Set<string>();
  let status = 0;

  async function* inputsOf(api: ClusterApi, { watch, onFailure, signal }: Reading): AsyncGenerator<AuditInput> {
    let workloads = 0;
    const request = { namespaces: flags.namespace, onForbidden: onFailure, signal };
    for await (const { objects } of readWorkloads(api, request)) {
      read.add(api.name);
      workloads += objects.length;
      watch.note(api.name, workloads, false);
      for (const object of objects) yield inputOf(api.name, object);
    }
    watch.note(api.name, workloads, true);
  }

  const inputs = () =>
    readSideBySide(
      clusters,
      inputsOf,
      "workload",
      ({ exitStatus }) => {
        status = Math.max(status, exitStatus);
      },
      io,
    );

  return {
    names: clusters.map(({ name }) => name),
    // On a terminal, findings would come between the lines that say how far each cluster is read.
    inputs: () => (io.stdout.isTTY ? gathered(inputs()) : inputs()),
    read: () => read.size,
    status: () => status,
  };
}

async function* gathered<Value>(values: AsyncIterable<Value>): AsyncGenerator<Value> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  yield* all;
}

/** The object as JSON, which is read as a manifest is. What a fix would change is not here, but where it was written. */
function inputOf(cluster: string, object: object): AuditInput {
  const live = {
    cluster,
    kind: textAt(object, "kind") ?? "",
    namespace: textAt(object, "metadata", "namespace") ?? "",
    name: textAt(object, "metadata", "name") ?? "",
  };
  return {
    kind: "text",
    file: objectName(live),
    text: JSON.stringify(object),
    expectManifests: true,
    mayBePatch: false,
    scope: `context ${cluster}`,
    live,
  };
}
