/** Reads clusters again and again, and makes a report of what is in them. */
import type { ClusterApi } from "../../cluster/index.ts";
import type { Clock } from "../../support/clock.ts";
import { errorText, isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import { readLiveCluster } from "../live.ts";
import type { FleetReport } from "../report.ts";
import type { Cluster } from "../types.ts";
import type { FleetMetrics } from "./metrics.ts";

export interface FleetServiceOptions {
  readonly apis: readonly ClusterApi[];
  /** Default: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Milliseconds from the beginning of one reading to that of the next. */
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

/** What is known of a cluster. */
interface Known {
  readonly cluster: Cluster;
  readonly complete: boolean;
  /** When all of it was read last, in milliseconds since the epoch. */
  readonly at: number | undefined;
}

export function createFleetService(options: FleetServiceOptions): FleetService {
  const { apis, report, takers, interval, metrics, clock, log, signal } = options;
  const known = new Map<string, Known>();
  let latest: LatestReport | undefined;

  async function pass(): Promise<void> {
    const begun = clock.now();
    // One after another: what is known of a cluster is in memory until all of it has been read again.
    for (const api of apis) {
      const from = clock.now();
      const read = await readOnce(api, known.get(api.name), options);
      known.set(api.name, read);
      const endedAt = clock.now();
      const isNow = read.complete && read.at !== undefined && read.at >= from;
      metrics.clusterRead({ cluster: api.name, complete: isNow, endedAt, milliseconds: endedAt - from });
    }
    const all = apis.flatMap(({ name }) => known.get(name) ?? []);
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
      while (!signal.aborted) {
        const next = clock.now() + interval;
        try {
          await pass();
          await clock.sleep(Math.max(0, next - clock.now()), signal);
        } catch (error) {
          if (!signal.aborted) throw error;
        }
      }
    },
  };
}

/**
 * A cluster that cannot be reached stays as it was; where it has never been read, or a login has too few rights, there is
 * what could be read.
 */
async function readOnce(
  api: ClusterApi,
  before: Known | undefined,
  { namespaces, clock, log, signal }: FleetServiceOptions,
): Promise<Known> {
  const failures: PulleyError[] = [];
  const onFailure = (failure: PulleyError) => failures.push(failure);
  const onProgress = () => undefined;
  const cluster = await readLiveCluster(api, { namespaces, onFailure, onProgress, signal }).finally(() => api.close());
  for (const failure of failures)
    log.warn("not all of a cluster was read", { cluster: api.name, error: failure.message });
  if (failures.length === 0) return { cluster, complete: true, at: clock.now() };
  const isBroken = failures.some((failure) => !isPulleyError(failure, "CLUSTER_FORBIDDEN"));
  return { cluster: isBroken && before !== undefined ? before.cluster : cluster, complete: false, at: before?.at };
}

/** A report says of what is old that it is. */
function withNotes(report: FleetReport, all: readonly Known[]): FleetReport {
  const old = all.flatMap(({ cluster, complete, at }) =>
    complete || at === undefined ? [] : [`${cluster.name}: all of it was read last at ${new Date(at).toISOString()}`],
  );
  return old.length === 0 ? report : { ...report, notes: [...old, ...report.notes] };
}
