/** Makes a report of what is in clusters again and again. */
import type { ClusterApi } from "../../cluster/index.ts";
import type { Clock } from "../../support/clock.ts";
import { errorText } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import type { FleetReport } from "../report.ts";
import type { Cluster } from "../types.ts";
import { followCluster, type KnownCluster } from "./followed-cluster.ts";
import type { FleetMetrics } from "./metrics.ts";

export interface FleetServiceOptions {
  readonly apis: readonly ClusterApi[];
  /** Default: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Milliseconds from the beginning of one report to that of the next. */
  readonly interval: number;
  readonly report: (made: MadeOf) => FleetReport;
  /** Where each report goes, one after the other, before the next is made. What they throw is logged, and told of. */
  readonly takers: readonly ReportTaker[];
  readonly metrics: FleetMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What a report is made of. */
export interface MadeOf {
  readonly clusters: readonly Cluster[];
  /** Names of clusters of which not all was read, or not now. */
  readonly incomplete: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ReportTaker {
  /** `history` */
  readonly name: string;
  /** Gives the report as it goes on from here: with what it knows besides, or as it came. */
  take(report: FleetReport, madeOf: MadeOf): Promise<FleetReport>;
}

export interface FleetService {
  /** The last report; `undefined` until the first is made. */
  readonly latest: () => LatestReport | undefined;
  /** Ends with the signal. Call it once. */
  run(): Promise<void>;
}

export interface LatestReport {
  readonly report: FleetReport;
  /** When it was made, in milliseconds since the epoch. */
  readonly now: number;
}

export function createFleetService(options: FleetServiceOptions): FleetService {
  const { apis, report, takers, interval, metrics, clock, log, signal } = options;
  const followed = apis.map((api) => ({ name: api.name, cluster: followCluster(api, options) }));
  let latest: LatestReport | undefined;

  async function pass(): Promise<void> {
    const begun = clock.now();
    const all: KnownCluster[] = [];
    // One after another: each holds a page in memory while it is listed.
    for (const { name, cluster } of followed) {
      const from = clock.now();
      const read = await cluster.read();
      all.push(read);
      const endedAt = clock.now();
      metrics.clusterRead({ cluster: name, complete: read.complete, endedAt, milliseconds: endedAt - from });
    }
    const now = clock.now();
    const incomplete = new Set(all.flatMap(({ complete, cluster }) => (complete ? [] : [cluster.name])));
    const madeOf = { clusters: all.map(({ cluster }) => cluster), incomplete, now };
    let made = withNotes(report(madeOf), all);
    latest = { report: made, now };
    metrics.reportMade(made, now);
    log.info("a report was made", {
      items: made.items.length,
      incomplete: incomplete.size,
      seconds: (now - begun) / 1000,
    });
    for (const taker of takers) {
      made = await hand(made, madeOf, taker);
      latest = { report: made, now };
    }
    metrics.passEnded(clock.now() - begun);
  }

  async function hand(made: FleetReport, madeOf: MadeOf, taker: ReportTaker): Promise<FleetReport> {
    try {
      const taken = await taker.take(made, madeOf);
      metrics.handedOn(taker.name, "success");
      return taken;
    } catch (error) {
      if (signal.aborted) throw error;
      metrics.handedOn(taker.name, "failure");
      log.error("a report could not be handed on", { to: taker.name, error: errorText(error) });
      return made;
    }
  }

  return {
    latest: () => latest,
    async run() {
      try {
        while (!signal.aborted) {
          const next = clock.now() + interval;
          await pass();
          await clock.sleep(Math.max(0, next - clock.now()), signal);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await Promise.all(followed.map(({ cluster }) => cluster.close()));
      }
    },
  };
}

/** A report says of what is old that it is. */
function withNotes(report: FleetReport, all: readonly KnownCluster[]): FleetReport {
  const old = all.flatMap(({ cluster, complete, at }) =>
    complete || at === undefined ? [] : [`${cluster.name}: all of it was read last at ${new Date(at).toISOString()}`],
  );
  return old.length === 0 ? report : { ...report, notes: [...old, ...report.notes] };
}
