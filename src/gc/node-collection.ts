/** Garbage collection as the daemon runs it. */
import type { KubeletConfiguration } from "../kubelet-config/index.ts";
import { type Collector, createCollector } from "./collector.ts";
import { runCollection, runPressureRelief } from "./loop.ts";
import type { CollectorDeps } from "./pass.ts";
import type { CollectionEvent, CollectionPolicy, CollectionReport } from "./types.ts";

export interface NodeCollectionOptions extends Omit<CollectorDeps, "policy" | "onEvent" | "onOutcome"> {
  readonly configuration: KubeletConfiguration;
  readonly onEvent: (event: CollectionEvent) => void;
  /** Called with the report of every pass. */
  readonly onReport?: ((report: CollectionReport) => void) | undefined;
  /** Called with an error that ended a pass without a report. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

export interface NodeCollection {
  readonly collector: Collector;
  /** Resolves some time after the signal; never rejects. */
  readonly ended: Promise<unknown>;
}

/** Collects now and every five minutes, and deletes what is unused whenever the disk is under pressure, until the signal. */
export function collectOnNode(options: NodeCollectionOptions, signal: AbortSignal): NodeCollection {
  const { configuration, store, clock, onEvent, onReport, onFailure } = options;
  const policy = collectionPolicy(configuration);
  const collector = createCollector({ ...options, policy });
  const shared = { collector, clock, onReport, onFailure };
  const ended = Promise.all([
    runCollection({ ...shared, policy, onEvent }, signal),
    runPressureRelief({ ...shared, store, thresholds: configuration.eviction }, signal),
  ]);
  return { collector, ended };
}

/** The thresholds and ages of a kubelet's configuration. */
export function collectionPolicy(configuration: KubeletConfiguration): CollectionPolicy {
  return {
    highThreshold: configuration.imageGCHighThresholdPercent,
    lowThreshold: configuration.imageGCLowThresholdPercent,
    minimumAge: configuration.imageMinimumGCAge,
    maximumAge: configuration.imageMaximumGCAge,
  };
}
