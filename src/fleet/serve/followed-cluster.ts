/** A cluster that is kept up to date by watches, so that a report of it asks for nothing. */
import { setImmediate as turn } from "node:timers/promises";
import type { ClusterApi } from "../../cluster/index.ts";
import type { Clock } from "../../support/clock.ts";
import { isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { JsonRecord } from "../../support/json-record.ts";
import type { Log } from "../../support/log.ts";
import { createInventory } from "../inventory.ts";
import { listedKinds } from "../live.ts";
import { heldTexts } from "../pools.ts";
import type { Cluster } from "../types.ts";
import { FollowedKind } from "./followed-kind.ts";
import { heldObject, objectIn } from "./held-object.ts";

export interface FollowOptions {
  /** Default: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What is known of a cluster. */
export interface KnownCluster {
  readonly cluster: Cluster;
  /** Whether that is all of it, as it is now. */
  readonly complete: boolean;
  /** When that was so last, in milliseconds since the epoch. */
  readonly at: number | undefined;
}

export interface FollowedCluster {
  /**
   * What it has now. A cluster that cannot be reached stays as it was; where it has never been read, or a login has too few
   * rights, there is what could be read.
   * @throws what the signal says
   */
  read(): Promise<KnownCluster>;
  /** Ends the watches and the connections. */
  close(): Promise<void>;
}

/** Objects after which others have their turn. */
const atOnce = 2_000;

/** It is asked with the first {@link FollowedCluster.read}. */
export function followCluster(api: ClusterApi, { namespaces, clock, log, signal }: FollowOptions): FollowedCluster {
  let isTold = false;
  const onRefused = (failure: PulleyError) => {
    if (!isTold) log.warn("a cluster may not be watched: it is listed for each report", told(failure));
    isTold = true;
  };
  const told = ({ message }: PulleyError) => ({ cluster: api.name, error: message });
  const shared = heldTexts();
  const kinds = listedKinds.map((kind) => {
    const hold = (object: JsonRecord) => heldObject(object, kind.kind, shared);
    return new FollowedKind({ api, kind, namespaces, hold, onRefused, clock, signal });
  });
  let at: number | undefined;

  /** One after another: of each there is a page in memory. */
  async function refresh(): Promise<readonly PulleyError[]> {
    const failures: PulleyError[] = [];
    for (const kind of kinds) {
      const failure = await kind.refresh();
      if (failure === undefined) continue;
      failures.push(failure);
      if (!isPulleyError(failure, "CLUSTER_FORBIDDEN")) break;
    }
    return failures;
  }

  async function built(): Promise<Cluster> {
    const inventory = createInventory(api.name);
    let objects = 0;
    for (const followed of kinds) {
      const { apiVersion, kind } = followed.kind;
      for (const held of followed.values()) {
        inventory.add({ apiVersion, kind, ...objectIn(held) });
        objects += 1;
        if (objects % atOnce === 0) await turn();
      }
    }
    return inventory.finish();
  }

  return {
    async read() {
      const failures = await refresh();
      for (const failure of failures) log.warn("not all of a cluster was read", told(failure));
      const complete = failures.length === 0;
      if (complete) at = clock.now();
      return { cluster: await built(), complete, at };
    },
    async close() {
      await Promise.all(kinds.map((kind) => kind.close()));
      api.close();
    },
  };
}
