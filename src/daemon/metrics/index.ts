/** The daemon's metrics. They are fed by listeners, so that no other room counts anything. */
import { Registry } from "prom-client";
import type { Clock } from "../../support/clock.ts";
import { instrumentsIn } from "../../support/monitoring/instruments.ts";
import type { MetricsText } from "../../support/monitoring/server.ts";
import { catalogue } from "./catalogue.ts";
import { createListeners, type Instruments } from "./listeners.ts";
import { feedGauges } from "./sources.ts";
import type { MetricListeners, MetricSources } from "./types.ts";

export type * from "./types.ts";

export interface Metrics extends MetricsText {
  readonly listeners: MetricListeners;
}

export interface MetricsOptions {
  /** The version of the program. */
  readonly version: string;
  readonly sources?: MetricSources;
  readonly clock: Clock;
  /** Called when the value of a metric could not be read; the metric is then left out. */
  readonly onFailure?: (error: unknown) => void;
}

export function createMetrics({ version, sources = {}, clock, onFailure }: MetricsOptions): Metrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  instruments.buildInfo.set({ version }, 1);
  instruments.policyLoaded.set(clock.now() / 1000);
  const look = feedGauges(instruments, sources, clock, onFailure);
  return {
    listeners: createListeners(instruments, clock),
    contentType: registry.contentType,
    text: async () => {
      await look();
      return registry.metrics();
    },
  };
}

function createInstruments(registry: Registry): Instruments {
  const { counter, gauge, histogram } = instrumentsIn(registry);
  return {
    pullDuration: histogram(catalogue.pullDuration),
    ensureRequests: counter(catalogue.ensureRequests),
    garbageCollected: counter(catalogue.garbageCollected),
    pullIntents: gauge(catalogue.pullIntents),
    pulledRecords: gauge(catalogue.pulledRecords),
    mustPullChecks: counter(catalogue.mustPullChecks),
    operations: counter(catalogue.operations),
    operationErrors: counter(catalogue.operationErrors),
    operationDuration: histogram(catalogue.operationDuration),
    pluginErrors: counter(catalogue.pluginErrors),
    pluginDuration: histogram(catalogue.pluginDuration),
    providerConfig: gauge(catalogue.providerConfig),
    buildInfo: gauge(catalogue.buildInfo),
    decisions: counter(catalogue.decisions),
    ruleWarnings: counter(catalogue.ruleWarnings),
    ruleDecisions: counter(catalogue.ruleDecisions),
    outcomes: counter(catalogue.outcomes),
    cachedCopies: counter(catalogue.cachedCopies),
    pullFailures: counter(catalogue.pullFailures),
    pulledBytes: counter(catalogue.pulledBytes),
    collections: counter(catalogue.collections),
    collectedBytes: counter(catalogue.collectedBytes),
    events: counter(catalogue.events),
    pods: gauge(catalogue.pods),
    mirrorRequests: counter(catalogue.mirrorRequests),
    mirrorDuration: histogram(catalogue.mirrorDuration),
    mirrorBytes: counter(catalogue.mirrorBytes),
    policyReloads: counter(catalogue.policyReloads),
    policyLoaded: gauge(catalogue.policyLoaded),
    storeBytes: gauge(catalogue.storeBytes),
    storeImages: gauge(catalogue.storeImages),
    storeCapacity: gauge(catalogue.storeCapacity),
    storeAvailable: gauge(catalogue.storeAvailable),
    scrubbedBlobs: counter(catalogue.scrubbedBlobs),
    scrubbedBytes: counter(catalogue.scrubbedBytes),
    scrubRepairs: counter(catalogue.scrubRepairs),
    scrubFinished: gauge(catalogue.scrubFinished),
    processCpu: counter(catalogue.processCpu),
    processMemory: gauge(catalogue.processMemory),
    processStart: gauge(catalogue.processStart),
    decisionsLost: counter(catalogue.decisionsLost),
  };
}
