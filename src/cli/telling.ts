/** All the ways in which the daemon tells what it does: its log, its socket, its metrics, its health. */
import { hostname } from "node:os";
import { type Command, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { createEventList } from "../node/api/events.ts";
import { serveApi } from "../node/api/server.ts";
import { createHealth, type HealthCheck } from "../node/health.ts";
import type { MetricSources, Metrics, StoreFigures } from "../node/metrics/index.ts";
import { createMetrics } from "../node/metrics/index.ts";
import { serveMetrics } from "../node/metrics/server.ts";
import type { Node } from "../node/node.ts";
import { logSignals } from "../node/node-log.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import { type Log, type LogLevel, logLevels } from "../support/log.ts";
import { type LogFormat, openLog } from "../support/log-output.ts";
import { type SocketOptions, socketOption, socketPath } from "./daemon.ts";
import { paintFor, type Surroundings } from "./surroundings.ts";

export interface TellingOptions extends SocketOptions {
  readonly metrics?: string;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}

export function tellingOptions(command: Command): Command {
  return command
    .addOption(socketOption())
    .addOption(new Option("--metrics <address>", "answer /metrics, /healthz and /readyz on 127.0.0.1:PORT"))
    .addOption(new Option("--log-format <format>", "how to log").choices(["text", "json"]).default("text"))
    .addOption(new Option("--log-level <level>", "the least that is logged").choices(logLevels).default("info"));
}

/** The daemon's log, on standard error. */
export function daemonLog({ logFormat, logLevel }: TellingOptions, surroundings: Surroundings, clock: Clock): Log {
  const { stderr } = surroundings;
  return openLog({ format: logFormat, level: logLevel, stream: stderr, clock, paint: paintFor(stderr, surroundings) });
}

/** To be made before what is counted, for that is given its listeners. */
export function daemonMetrics(
  sources: MetricSources,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): Metrics {
  const onFailure = (error: unknown) => log.warn("a metric could not be looked up", { error: errorText(error) });
  return createMetrics({ version: packageFile.version, sources, clock, onFailure });
}

/** What the metrics want to know of a store. */
export async function storeFigures(store: Pick<ImageStore, "images" | "usage">): Promise<StoreFigures> {
  const [images, { used, capacity, available }] = await Promise.all([store.images(), store.usage()]);
  return { images: images.length, used, capacity, available };
}

export interface TellingParts {
  readonly node: Node;
  readonly store: Pick<ImageStore, "images">;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  /** What must answer for the daemon to be ready: `runtime`, `store`. */
  readonly ready: readonly HealthCheck[];
  /** Default: the machine's name. */
  readonly nodeName?: string;
}

export interface Telling {
  /** Path of the socket, and the address of the metrics if there is one. */
  readonly socket: string;
  readonly metrics: string | undefined;
  close(): Promise<void>;
}

/**
 * Listens to the node, and begins to answer. To be called before the node is given its pods: what it says before that is
 * heard by nobody.
 * @throws PulleyError `USAGE`, `OUTPUT_UNWRITABLE` where it cannot listen
 */
export async function startTelling(
  parts: TellingParts,
  options: TellingOptions,
  surroundings: Surroundings,
): Promise<Telling> {
  const { node, store, metrics, log, clock, ready, nodeName = hostname() } = parts;
  const events = createEventList({ host: nodeName });
  const health = createHealth({
    ready,
    clock,
    onChange: (check, failure) => {
      if (failure === undefined) log.info("a check holds again", { check });
      else log.warn("a check fails", { check, error: failure });
    },
  });
  const say = logSignals(log);
  const deafen = node.onSignal((signal) => {
    metrics.listeners.nodeSignal(signal);
    if (signal.kind === "event") events.add(signal.event);
    say(signal);
  });
  const socket = socketPath(options, surroundings);
  const api = await serveApi({
    ...{ socket, node, events, health, clock, nodeName, log },
    images: () => store.images(),
    version: packageFile.version,
  });
  log.info("the daemon answers", { socket });
  const server = options.metrics === undefined ? undefined : await metricsServer(options.metrics).catch(closeFirst);
  return {
    socket,
    metrics: server?.address,
    close: async () => {
      deafen();
      await Promise.all([api.close(), server?.close()]);
    },
  };

  async function metricsServer(address: string) {
    const serving = await serveMetrics(address, { metrics, health, log });
    log.info("metrics and health are answered", { address: serving.address });
    return serving;
  }

  async function closeFirst(error: unknown): Promise<never> {
    deafen();
    await api.close();
    throw error;
  }
}
