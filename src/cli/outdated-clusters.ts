/** What `pulley outdated` reads of clusters: the workloads, their pull secrets if they may be read, and what runs. */
import { type ClusterApi, PullSecretNames, type RunningImage, readWorkloads } from "../cluster/index.ts";
import { canonicalText, type Digest, readImageName } from "../image/index.ts";
import type { LiveObjects } from "../versions/index.ts";
import { type ClusterFlags, openClusters } from "./cluster-option.ts";
import { type Reading, readSideBySide } from "./cluster-reading.ts";
import type { CommandIo } from "./io.ts";

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

  async function* objectsOf(api: ClusterApi, { watch, onFailure, signal }: Reading): AsyncGenerator<LiveObjects> {
    const secrets = new PullSecretNames();
    let workloads = 0;
    const request = { namespaces: flags.namespace, onForbidden: onFailure, signal };
    for await (const { objects, running } of readWorkloads(api, request)) {
      note(running);
      workloads += objects.length;
      watch.note(api.name, workloads, false);
      if (flags.secrets) for (const object of objects) secrets.add(object);
      if (objects.length > 0) yield { cluster: api.name, objects };
    }
    if (flags.secrets) {
      const objects: object[] = [];
      for await (const object of secrets.read(api, watch.warn, signal)) objects.push(object);
      yield { cluster: api.name, objects };
    }
    watch.note(api.name, workloads, true);
  }

  return {
    objects: () => readSideBySide(clusters, objectsOf, "workload", (failure) => void failures.push(failure.code), io),
    running: () => new Map([...oldest].map(([key, { digest }]) => [key, digest])),
    failures: () => failures,
  };
}
