/** Metrics by their descriptions, and those that every program has (prometheus.io/docs/instrumenting/writing_clientlibs). */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export interface MetricDescription {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** A sentence; it is the metric's HELP line and its row in docs/metrics.md. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, in the metric's unit; histograms only. */
  readonly buckets?: readonly number[];
}

export interface MetricByType {
  readonly counter: Counter;
  readonly gauge: Gauge;
  readonly histogram: Histogram;
}

/** Each of them makes a metric that belongs to the registry. */
export function instrumentsIn(registry: Registry) {
  const settings = ({ name, help, labels }: MetricDescription) => {
    return { name, help, labelNames: [...labels], registers: [registry] };
  };
  return {
    counter: (description: MetricDescription) => new Counter(settings(description)),
    gauge: (description: MetricDescription) => new Gauge(settings(description)),
    histogram: (description: MetricDescription) =>
      new Histogram({ ...settings(description), buckets: [...(description.buckets ?? [])] }),
  };
}

export const processCatalogue = {
  buildInfo: {
    name: "pulley_build_info",
    type: "gauge",
    help: "Always 1; the version is in the label.",
    labels: ["version"],
  },
  processCpu: {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Seconds of processor time that the daemon has used.",
    labels: [],
  },
  processMemory: {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Bytes of memory that the daemon takes up.",
    labels: [],
  },
  processStart: {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the daemon was started, in seconds since the epoch.",
    labels: [],
  },
} as const satisfies Record<string, MetricDescription>;

export type ProcessInstruments = {
  readonly [Name in keyof typeof processCatalogue]: MetricByType[(typeof processCatalogue)[Name]["type"]];
};

/** Brings those of the process up to date. */
export function lookAtProcess(to: Omit<ProcessInstruments, "buildInfo">): void {
  const { user, system } = process.cpuUsage();
  to.processCpu.reset();
  to.processCpu.inc((user + system) / 1e6);
  to.processMemory.set(process.memoryUsage.rss());
  to.processStart.set(performance.timeOrigin / 1000);
}

/** Keeps the first `most` different values of a label; every other one becomes `other`. */
export function limitedValues(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most || value.length > 200) return "other";
    known.add(value);
    return value;
  };
}
