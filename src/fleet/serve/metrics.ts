/** The metrics of the last report. */
import { type Gauge, Registry } from "prom-client";
import { instrumentsIn, limitedValues, lookAtProcess } from "../../support/monitoring/instruments.ts";
import type { MetricsText } from "../../support/monitoring/server.ts";
import type { FleetReport } from "../report.ts";
import { fleetCatalogue } from "./catalogue.ts";

/** How a cluster was read in the last attempt. */
export interface ReadOutcome {
  readonly cluster: string;
  readonly complete: boolean;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
  readonly milliseconds: number;
}

/** A file has changed: what it says now is in force, or cannot be, and what it said before is. */
export interface InputReload {
  readonly input: "policy" | "teams";
  readonly result: "success" | "failure";
}

export interface FleetMetrics extends MetricsText {
  clusterRead(outcome: ReadOutcome): void;
  reportMade(report: FleetReport, now: number): void;
  handedOn(to: string, result: "success" | "failure"): void;
  inputReloaded(reload: InputReload): void;
  /** @param milliseconds for all of it */
  passEnded(milliseconds: number): void;
}

/** Different values of labels that others decide on. */
const most = { clusters: 200, teams: 200 };

export function createFleetMetrics(version: string, clusters: readonly string[]): FleetMetrics {
  const registry = new Registry();
  const { counter, gauge } = instrumentsIn(registry);
  const to = {
    items: gauge(fleetCatalogue.items),
    pods: gauge(fleetCatalogue.pods),
    nodes: gauge(fleetCatalogue.nodes),
    workloads: gauge(fleetCatalogue.workloads),
    images: gauge(fleetCatalogue.images),
    complete: gauge(fleetCatalogue.complete),
    lastSuccess: gauge(fleetCatalogue.lastSuccess),
    readDuration: gauge(fleetCatalogue.readDuration),
    reportTime: gauge(fleetCatalogue.reportTime),
    reportDuration: gauge(fleetCatalogue.reportDuration),
    handedOn: counter(fleetCatalogue.handedOn),
    inputReloads: counter(fleetCatalogue.inputReloads),
    buildInfo: gauge(fleetCatalogue.buildInfo),
    processCpu: counter(fleetCatalogue.processCpu),
    processMemory: gauge(fleetCatalogue.processMemory),
    processStart: gauge(fleetCatalogue.processStart),
  };
  const clusterLabel = limitedValues(most.clusters);
  const setItems = itemsIn(to.items, clusterLabel);
  to.buildInfo.set({ version }, 1);
  for (const name of clusters) {
    to.complete.set({ cluster: clusterLabel(name) }, 0);
    to.lastSuccess.set({ cluster: clusterLabel(name) }, 0);
  }
  return {
    contentType: registry.contentType,
    text: () => {
      lookAtProcess(to);
      return registry.metrics();
    },
    clusterRead({ cluster, complete, endedAt, milliseconds }) {
      const label = { cluster: clusterLabel(cluster) };
      to.complete.set(label, complete ? 1 : 0);
      to.readDuration.set(label, milliseconds / 1000);
      if (complete) to.lastSuccess.set(label, endedAt / 1000);
    },
    reportMade(report, now) {
      for (const { name, pods, nodes, workloads, images } of report.clusters) {
        const label = { cluster: clusterLabel(name) };
        to.pods.set(label, pods);
        to.nodes.set(label, nodes);
        to.workloads.set(label, workloads);
        to.images.set(label, images);
      }
      setItems(report);
      to.reportTime.set(now / 1000);
    },
    handedOn: (name, result) => to.handedOn.inc({ to: name, result }),
    inputReloaded: ({ input, result }) => to.inputReloads.inc({ input, result }),
    passEnded: (milliseconds) => to.reportDuration.set(milliseconds / 1000),
  };
}

/** What was there once and is solved is 0 afterwards, and not gone, so that an alert sees it fall. */
function itemsIn(to: Gauge, clusterLabel: (name: string) => string): (report: FleetReport) => void {
  const teamLabel = limitedValues(most.teams);
  const seen = new Map<string, Record<string, string>>();
  return ({ items }) => {
    const counts = new Map<string, { readonly labels: Record<string, string>; count: number }>();
    for (const { clusters, kind, severity, teams } of items) {
      for (const cluster of clusters.length === 0 ? [""] : clusters) {
        for (const team of teams.length === 0 ? [""] : teams) {
          const labels = { cluster: clusterLabel(cluster), kind, severity, team: teamLabel(team) };
          const key = JSON.stringify(labels);
          const known = counts.get(key);
          if (known === undefined) counts.set(key, { labels, count: 1 });
          else known.count += 1;
        }
      }
    }
    for (const [key, labels] of seen) if (!counts.has(key)) to.set(labels, 0);
    for (const [key, { labels, count }] of counts) {
      seen.set(key, labels);
      to.set(labels, count);
    }
  };
}
