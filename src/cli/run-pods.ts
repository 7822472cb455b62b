/** Runs pods until they have settled or the user interrupts, and reports their final state. */

import type { LoginSource } from "../credentials/index.ts";
import type { Platform } from "../image/index.ts";
import type { KubeletConfiguration } from "../kubelet-config/index.ts";
import {
  type ContainerStatus,
  type ContainersOptions,
  createPodManager,
  type NodeEvent,
  type NodeSignal,
  type PodStatus,
} from "../pods/index.ts";
import type { Policy } from "../policy/index.ts";
import {
  type ContentSharing,
  type HostsFor,
  openDecisionLog,
  openPullRecords,
  openPulls,
  type PullProgress,
} from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { PulleyError } from "../support/errors.ts";
import { liveRegion } from "../support/live.ts";
import { hanging, printable, wantsColour } from "../support/terminal.ts";
import type { DataObjects, Pod, PullSecret } from "../workload/index.ts";
import { doctorCall } from "./doctor-view.ts";
import { columnsOf, type Io, interrupted, paintFor } from "./io.ts";
import type { ProviderNotes } from "./logins.ts";
import type { OutputOptions } from "./options.ts";
import { print } from "./output.ts";
import { openPodSession, type PodSession } from "./pod-session.ts";
import { eventLines, podTable, waiting } from "./pod-view.ts";
import { type PolicyFiles, watchPolicy } from "./policy-option.ts";
import { printLines } from "./printing.ts";
import { createPullSpeeds } from "./pull-speeds.ts";
import { createRepeatedEvents, repeatedLines } from "./repeated-events.ts";

export interface RunPodsOptions {
  readonly pods: readonly Pod[];
  readonly secrets: readonly PullSecret[];
  readonly objects: DataObjects;
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  /** The directory of the store, which also has the pull records. */
  readonly root: string;
  readonly platform: Platform;
  readonly contentSharing: ContentSharing;
  readonly policy: Policy;
  /** The files of the policy, which is reloaded when they change. */
  readonly policyFiles: PolicyFiles | undefined;
  /** Limits for pulls, and the verification of pull credentials. */
  readonly kubelet: KubeletConfiguration;
  /** Options for starting containers; `undefined`: images are only pulled. */
  readonly containers: ContainersOptions | undefined;
  /** Whether containers are left running at the end. */
  readonly keep: boolean;
  readonly loginsFor: (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;
  readonly hosts: HostsFor | undefined;
  /** Messages of credential providers. */
  readonly notes?: ProviderNotes;
  /** Whether to end when all pods have settled, instead of on the signal. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface PodsResult {
  readonly pods: readonly PodStatus[];
  readonly events: readonly NodeEvent[];
  /** Why a pod could not be removed. */
  readonly leftBehind?: PulleyError | undefined;
}

/** Milliseconds between two updates of the table. */
const frame = 100;
/** Maximum lines for repeated events. */
const mostRepeated = 8;

/** Shows the pods and their events on standard error as they change, and returns their final state. */
export async function runPods(options: RunPodsOptions, io: Io): Promise<PodsResult> {
  const { store, registry, root, platform, kubelet, pods, secrets, signal, policyFiles, clock } = options;
  const verifies = kubelet.imagePullCredentialsVerificationPolicy !== undefined;
  const records = verifies ? openPullRecords(root, kubelet, clock) : undefined;
  await records?.recover(await store.images());
  const { contentSharing } = options;
  const node = createPodManager({
    pulls: openPulls({ store, registry, platform, clock, root, contentSharing, settings: kubelet }),
    policy: options.policy,
    hosts: options.hosts,
    loginsFor: options.loginsFor,
    records,
    log: openDecisionLog(root),
    containers: options.containers && { ...options.containers, crashLoopBackOff: kubelet.crashLoopBackOff },
    clock,
    random: Math.random,
  });
  const view = watch(node.pods, io, clock);
  options.notes?.printWith(view.log);
  node.onSignal(view.onSignal);
  const changes = { onChange: node.setPolicy, log: view.log };
  const policyWatch = policyFiles && watchPolicy(policyFiles, changes, clock);
  const { containers } = options;
  let session: PodSession | undefined;
  try {
    session = containers && (await openPodSession({ pods, root, containers, log: view.log }));
    node.add(pods, secrets, options.objects);
    await Promise.race([options.once ? node.settled() : node.ended(), interrupted(signal)]);
    // Running pulls end first: every pull that was shown is counted, and none is shown after the count.
    await node.stop();
    const result = { pods: node.pods(), events: view.events };
    if (session === undefined || options.keep) return result;
    return { ...result, leftBehind: await session.end(node) };
  } finally {
    policyWatch?.stop();
    await node.stop();
    view.end();
    await session?.release();
  }
}

function watch(pods: () => readonly PodStatus[], io: Io, clock: Clock) {
  const { stderr } = io;
  const paint = paintFor(stderr, io);
  const region = liveRegion(stderr, wantsColour(stderr, io.environment));
  const width = () => columnsOf(stderr);
  const events: NodeEvent[] = [];
  const repeated = createRepeatedEvents();
  const pulls = new Map<string, PullProgress>();
  const speeds = createPullSpeeds(clock.now);
  const draw = () => {
    const view = { pods: pods(), pulls: [...pulls.values()], speeds };
    const table = podTable(view, clock.now(), width() - 1, paint);
    // If there is not enough room for both, the table takes precedence.
    const room = stderr.isTTY ? Math.min(mostRepeated, (stderr.rows ?? 24) - 3 - table.length) : Infinity;
    region.draw([...repeatedLines(repeated.all(), room, paint), ...table]);
  };
  // The time until the next attempt counts down, so the table also changes without a signal.
  const timer = setInterval(draw, frame);
  return {
    events,
    onSignal(signal: NodeSignal): void {
      switch (signal.kind) {
        case "event":
          events.push(signal.event);
          if (!repeated.isNew(signal.event)) return;
          for (const line of eventLines(signal.event, paint, width())) region.log(line);
          return;
        case "pull":
          pulls.set(signal.progress.image, signal.progress);
          speeds.note(signal.progress);
          return;
        case "pod":
        case "ensured":
        case "removed":
          return;
      }
    },
    log(line: string): void {
      region.log(line);
    },
    end(): void {
      clearInterval(timer);
      draw();
      region.end();
    },
  };
}

/** Prints the final state of the pods. @returns the number of pods that are waiting or have failed */
export async function report(
  { pods, events }: PodsResult,
  { output, runtime }: OutputOptions & { readonly runtime?: string },
  io: Io,
): Promise<number> {
  const value = { apiVersion: "pulley.dev/v1alpha1", pods: pods.map(podValue), events };
  if (output !== "text") await print(output, value, () => [], io);
  const held = pods.filter((status) => status.phase === "Failed" || waiting(status).length > 0);
  for (const status of held) printReason(status, io);
  const summary = runtime === undefined ? preparedLines(pods, held) : [startedText(pods, held)];
  printLines("stderr", ["", ...summary.flatMap((line) => hanging("", line, columnsOf(io.stderr)))], io);
  return held.length;
}

function printReason(status: PodStatus, io: Io): void {
  const { stderr } = io;
  const paint = paintFor(stderr, io);
  const width = columnsOf(io.stderr);
  for (const container of [...status.imageVolumes, ...status.containers]) {
    const { name, state } = container;
    const why = reasonOf(container);
    if (why === undefined) continue;
    const where = paint("bold", printable(`${status.pod.namespace}/${status.pod.name}, ${name}:`));
    const below = (text: string) => hanging("  ", printable(text), width).map((line) => paint("dim", line));
    const lines = [
      "",
      ...hanging("", `${where} ${printable(why.message)}`, width),
      ...(why.advice === undefined ? [] : below(why.advice)),
      ...(state.kind === "waiting" && io.leavesNothing !== true
        ? nextLines(callFor(status.pod, name), width).map((line) => paint("dim", line))
        : []),
    ];
    printLines("stderr", lines, io);
  }
}

/** A command is not wrapped, so that it can be copied. */
function nextLines(call: string, width: number): readonly string[] {
  const line = `  To look at each step: ${call}`;
  return line.length <= width ? [line] : ["  To look at each step:", `    ${call}`];
}

function callFor(pod: PodStatus["pod"], container: string): string {
  const own = [...pod.containers, ...pod.imageVolumes].find(({ name }) => name === container);
  return printable(doctorCall(pod, own?.image ?? pod.name, own?.request.source?.file));
}

function reasonOf({ state }: ContainerStatus): { readonly message: string; readonly advice?: string } | undefined {
  if (state.kind === "waiting") return state.message === "" ? undefined : state;
  if (state.kind !== "terminated" || state.exitCode === 0) return undefined;
  const said = state.message === "" ? "" : `: ${state.message}`;
  return { message: `ended with exit code ${state.exitCode}, ${state.reason}${said}` };
}

function preparedLines(pods: readonly PodStatus[], held: readonly PodStatus[]): readonly string[] {
  const prepared = pods.length - held.length;
  const text = `${prepared} of ${pods.length} pods are prepared: their images are on this machine.`;
  if (prepared === 0) return [text];
  const runtime = "(--runtime unix:///run/containerd/containerd.sock)";
  return [text, `No container was started: that needs a container runtime ${runtime}.`];
}

function startedText(pods: readonly PodStatus[], held: readonly PodStatus[]): string {
  const sound = pods.filter((status) => !held.includes(status));
  const running = sound.filter(({ phase }) => phase === "Running").length;
  const completed = sound.filter(({ phase }) => phase === "Succeeded").length;
  return `Of ${pods.length} pods, ${running} are running, ${completed} have completed, and ${held.length} are waiting or have failed.`;
}

function podValue({ pod, ...status }: PodStatus) {
  const { namespace, name, uid } = pod;
  const { phase, reason, message, podIP, hostIP, containers, imageVolumes, conditions } = status;
  return { namespace, name, uid, phase, reason, message, podIP, hostIP, containers, imageVolumes, conditions };
}
