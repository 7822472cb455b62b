/** Keeps the logs of containers from filling the disk (k8s pkg/kubelet/logs/container_log_manager.go), with the kubelet's defaults. */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../support/clock.ts";
import type { ContainerRuntime } from "../container-runtime.ts";
import type { PodStatus } from "../types.ts";

export interface RunningLog {
  /** The runtime's id of the container. */
  readonly id: string;
  readonly path: string;
}

export interface LogRotationOptions {
  readonly runtime: Pick<ContainerRuntime, "reopenContainerLog">;
  readonly clock: Clock;
  /** The logs that are being written now. */
  readonly running: () => readonly RunningLog[];
  /** Bytes that a file may have before another one is begun: `containerLogMaxSize`. */
  readonly mostBytes?: number;
  /** Files of one container, the one that is being written included: `containerLogMaxFiles`. */
  readonly mostFiles?: number;
}

/** Milliseconds between two checks: `containerLogMonitorInterval`. */
const period = 10_000;

/** The logs of the containers that run. */
export function runningLogs(pods: readonly PodStatus[]): readonly RunningLog[] {
  return pods.flatMap(({ containers }) =>
    containers.flatMap(({ state, containerId, logPath }) => {
      if (state.kind !== "running" || containerId === undefined || logPath === undefined) return [];
      return [{ id: containerId.slice(containerId.indexOf("://") + "://".length), path: logPath }];
    }),
  );
}

/** Rotates logs until the signal aborts; rejects with its reason. */
export async function rotateLogs(options: LogRotationOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    await options.clock.sleep(period, signal);
    // A container that ends just now has no log to reopen; the next check finds what is left to do.
    for (const log of options.running()) await rotateLog(log, options).catch(() => undefined);
  }
}

/** Renames a log that is too long, and has the runtime reopen it. */
export async function rotateLog({ id, path }: RunningLog, options: LogRotationOptions): Promise<void> {
  const { runtime, clock, mostBytes = 10 * 1024 * 1024, mostFiles = 5 } = options;
  const { size } = await stat(path);
  if (size <= mostBytes) return;
  const before = await rotatedLogs(path);
  for (const old of before.slice(0, Math.max(0, before.length - (mostFiles - 2)))) await rm(old, { force: true });
  const aside = `${path}.${timestamp(clock.now())}`;
  await rename(path, aside);
  try {
    await runtime.reopenContainerLog(id);
  } catch (error) {
    // The runtime goes on writing into the file that it has: that is to be the log, whatever it is called.
    await rename(aside, path);
    throw error;
  }
}

/** The rotated files of a log, the oldest first. */
export async function rotatedLogs(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => name.startsWith(`${basename(path)}.`));
  return own.toSorted().map((name) => join(folder, name));
}

/** `20260102-150405`, as the kubelet has it. */
function timestamp(time: number): string {
  const [date = "", clock = ""] = new Date(time).toISOString().replace(/[-:]/g, "").slice(0, 15).split("T");
  return `${date}-${clock}`;
}
