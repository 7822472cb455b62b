/** What a daemon reports about itself: log, metrics, health checks, and its API. */
import { hostname } from "node:os";
import type { NodeSignal, PodManager, PodStatus } from "../pods/index.ts";
import { countPullRecords, type EnsuredImage } from "../pull/index.ts";
import type { ImageStore } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import { createHealth, type Health } from "../support/monitoring/health.ts";
import { serveMetrics } from "../support/monitoring/server.ts";
import { createEventList, type EventList } from "./api/events.ts";
import { serveApi } from "./api/server.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import { createMetrics, type Metrics } from "./metrics/index.ts";
import type { DaemonOptions } from "./types.ts";

/** The parts that metrics are read from; set as they start. */
export interface StartedParts {
  readonly store?: ImageStore;
  readonly node?: PodManager;
}

export function openMetrics(
  { version, log, root }: Pick<DaemonOptions, "version" | "log" | "root">,
  started: StartedParts,
): Metrics {
  return createMetrics({
    version,
    clock: systemClock,
    sources: {
      pods: () => started.node?.pods() ?? [],
      store: async () => {
        const { store } = started;
        if (store === undefined) throw new Error("the daemon is still starting");
        const [images, { used, capacity, available }] = await Promise.all([store.images(), store.usage()]);
        return { images: images.length, used, capacity, available };
      },
      pullRecords: () => countPullRecords(root),
    },
    onFailure: (error) => log.warn("a metric could not be read", { error: errorText(error) }),
  });
}

export interface ObservabilityOptions
  extends Pick<DaemonOptions, "version" | "sockets" | "log" | "metricsHosts" | "settings"> {
  readonly metricsAddress: string | undefined;
  readonly metrics: Metrics;
  readonly node: PodManager;
}

/** @returns the node's event list, for events of no pod. @throws PulleyError `USAGE`, `OUTPUT_UNWRITABLE` */
export async function startObservability(
  options: ObservabilityOptions,
  core: DaemonCore,
  disposers: Disposers,
): Promise<EventList> {
  const { node, metrics, metricsAddress, metricsHosts, log, sockets, version, settings } = options;
  const clock = systemClock;
  const events = createEventList({ host: hostname() });
  const logged = logSignals(log);
  const stopListening = node.onSignal((signal) => {
    metrics.listeners.nodeSignal(signal);
    logged(signal);
    if (signal.kind === "event") events.add(signal.event);
  });
  disposers.add(() => stopListening());
  const health = healthOf(core, log);
  const images = () => core.pulls.store.images();
  const api = { node, events, images, health, clock, nodeName: hostname(), version, settings, log };
  const server = await serveApi({ ...api, socket: sockets.api, takeover: sockets.takeover });
  disposers.add(() => server.close());
  log.info("the daemon's own interface listens", { socket: sockets.api });
  if (metricsAddress === undefined) return events;
  const served = await serveMetrics(metricsAddress, { metrics, health, log, hosts: metricsHosts ?? [] });
  disposers.add(() => served.close());
  log.info("metrics are served", { address: served.address });
  return events;
}

function healthOf({ pulls: { store }, runtime }: DaemonCore, log: Log): Health {
  const storeAnswers = { name: "store", check: async () => void (await store.images()) };
  const runtimeAnswers = runtime && {
    name: "runtime",
    check: async () => void (await runtime.containers.runtime.version()),
  };
  return createHealth({
    ready: [storeAnswers, ...(runtimeAnswers ? [runtimeAnswers] : [])],
    clock: systemClock,
    onChange: (name, failure) => {
      if (failure === undefined) log.info("health check passes again", { check: name });
      else log.warn("health check failed", { check: name, error: failure });
    },
  });
}

/** Returns a listener that logs the node's signals: events at their level, requests for images at debug level. */
export function logSignals(log: Log): (signal: NodeSignal) => void {
  const phases = new Map<string, PodStatus["phase"]>();
  return (signal) => {
    switch (signal.kind) {
      case "event": {
        const { type, reason, message, pod, fieldPath } = signal.event;
        const say = type === "Warning" ? log.warn : log.info;
        say(message, { reason, namespace: pod.namespace, pod: pod.name, fieldPath });
        return;
      }
      case "ensured":
        log.debug("image request finished", fieldsOf(signal.ensured));
        return;
      case "pod": {
        const { pod, phase } = signal.status;
        if (phases.get(pod.uid) === phase) return;
        phases.set(pod.uid, phase);
        log.info("pod phase changed", { namespace: pod.namespace, pod: pod.name, phase });
        return;
      }
      case "removed":
        phases.delete(signal.pod.uid);
        log.info("pod removed", { namespace: signal.pod.namespace, pod: signal.pod.name });
        return;
      case "pull":
        return;
    }
  };
}

function fieldsOf({ decision, outcome, failure, pull }: EnsuredImage) {
  return {
    action: decision?.action,
    outcome,
    failure,
    from: pull?.from,
    fetched: pull?.fetched,
    milliseconds: pull?.milliseconds,
  };
}
