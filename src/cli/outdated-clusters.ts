/** What `pulley outdated` reads of clusters: the workloads, their pull secrets if they may be read, and what runs. */
import { type ClusterApi, PullSecretNames, type RunningImage, readWorkloads } from "../cluster/index.ts";
import { canonicalText, type Digest, parseDigest, readImageName } from "../image/index.ts";
import { isPulleyError, type PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import type { LiveObjects } from "../versions/index.ts";
import { type ClusterFlags, openClusters, printClusterFailure } from "./cluster-option.ts";
import type { CommandIo } from "./io.ts";
import { printOver, warnOn } from "./printing.ts";

export interface Live {
  /** Cluster by cluster, page by page. One that cannot be read is told of, and the others follow. */
  objects(): AsyncIterable<LiveObjects>;
  /** By the image's canonical text: the digest that has run for the longest, of all pods that are read until now. */
  running(): ReadonlyMap<string, Digest>;
  /** Codes of why clusters could not be read. */
  failures(): readonly string[];
}

/** @throws PulleyError as {@link openClusters} */
export function openLive(flags: ClusterFlags & { readonly secrets?: true }, io: CommandIo): Live {
  const clusters = openClusters(flags, io);
  const oldest = new Map<string, RunningImage>();
  const failures: string[] = [];

  function note(running: readonly RunningImage[]): void {
    for (const each of running) {
      const name = readImageName(each.image);
      const key = name.kind === "invalid" ? name.given : canonicalText(name);
      if ((oldest.get(key)?.since ?? Number.POSITIVE_INFINITY) > each.since) oldest.set(key, each);
    }
  }

  function fail(error: PulleyError): void {
    failures.push(error.code);
    printClusterFailure(error, io);
  }

  async function* objectsOf(api: ClusterApi, signal: AbortSignal): AsyncGenerator<LiveObjects> {
    const secrets = new PullSecretNames();
    let workloads = 0;
    const request = { namespaces: flags.namespace, onForbidden: fail, signal };
    for await (const { objects, running } of readWorkloads(api, request)) {
      note(running);
      workloads += objects.length;
      printOver(`${api.name}: ${plural(workloads, "workload")}`, io);
      if (flags.secrets) for (const object of objects) secrets.add(object);
      yield { cluster: api.name, objects };
    }
    if (flags.secrets) {
      const objects: object[] = [];
      for await (const object of secrets.read(api, warnOn(io), signal)) objects.push(object);
      yield { cluster: api.name, objects };
    }
  }

  return {
    async *objects() {
      if (clusters.length === 0) return;
      const signal = io.interruption();
      for (const api of clusters) {
        try {
          yield* objectsOf(api, signal);
        } catch (error) {
          if (!isPulleyError(error) || signal.aborted) throw error;
          fail(error);
        } finally {
          api.close();
        }
      }
      printOver("", io);
    },
    running: () => new Map([...oldest].map(([key, { digest }]) => [key, parseDigest(digest)])),
    failures: () => failures,
  };
}
