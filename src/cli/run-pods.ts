/** Pods on a node, watched until they have settled or somebody has seen enough, and what became of them. */

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
  createEmbeddedImageService,
  type HostsFor,
  openDecisionLog,
  openPullRecords,
  type PullProgress,
  usableProofs,
} from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { PulleyError } from "../support/errors.ts";
import { liveRegion } from "../support/live.ts";
import { hanging, printable, wantsColour } from "../support/terminal.ts";
import type { DataObjects, Pod, PullSecret } from "../workload/index.ts";
import { doctorCall } from "./doctor-call.ts";
import { type Io, interrupted, paintFor } from "./io.ts";
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
  /** The store's folder: what is known about who pulled what is kept there too. */
  readonly root: string;
  readonly platform: Platform;
  readonly contentSharing: ContentSharing;
  readonly policy: Policy;
  /** What the policy was read from, and is read from again when it changes. */
  readonly policyFiles: PolicyFiles | undefined;
  /** How many pulls run at once, how fast they begin, and who may use what is here. */
  readonly kubelet: KubeletConfiguration;
  /** What starts containers; absent: they are only prepared. */
  readonly containers: ContainersOptions | undefined;
  /** To leave what runs running at the end. */
  readonly keep: boolean;
  readonly loginsFor: (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;
  readonly hosts: HostsFor | undefined;
  /** What is said about logins meanwhile. */
  readonly notes?: ProviderNotes;
  /** Ends when every pod has settled, instead of going on until the signal. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface PodsResult {
  readonly pods: readonly PodStatus[];
  readonly events: readonly NodeEvent[];
  /** Why something of the pods is still there though they were to end. */
  readonly leftBehind?: PulleyError | undefined;
}

/** Milliseconds between two drawings of the table. */
const frame = 100;
/** Lines of a terminal for what repeats itself. */
const mostRepeated = 8;

/** Shows the pods and their events on standard error as they change, and answers with how they ended. */
export async function runPods(options: RunPodsOptions, io: Io): Promise<PodsResult> {
  const { store, registry, root, platform, kubelet, pods, secrets, signal, policyFiles, clock } = options;
  const verifies = kubelet.imagePullCredentialsVerificationPolicy !== undefined;
  const records = verifies ? openPullRecords(root, kubelet, clock) : undefined;
  await records?.recover(await store.images());
  const proofs = usableProofs(store, root, options.contentSharing);
  const node = createPodManager({
    images: createEmbeddedImageService({ store, registry, platform, clock, proofs }),
    policy: options.policy,
    hosts: options.hosts,
    loginsFor: options.loginsFor,
    pulls: kubelet,
    records,
    log: openDecisionLog(root),
    containers: options.containers && { ...options.containers, crashLoopBackOff: kubelet.crashLoopBackOff },
    clock,
    random: Math.random,
  });
  const view = watch(node.pods, io, clock);
  options.notes?.showWith(view.say);
  node.onSignal(view.hear);
  const changes = { onChange: node.setPolicy, say: view.say };
  const policyWatch = policyFiles && watchPolicy(policyFiles, changes, clock);
  const { containers } = options;
  let session: PodSession | undefined;
  try {
    session = containers && (await openPodSession({ pods, root, containers, say: view.say }));
    node.add(pods, secrets, options.objects);
    await Promise.race([options.once ? node.settled() : node.ended(), interrupted(signal)]);
    // What is under way comes to its end first: a pull that was told of is counted, and nothing is told after the count.
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
  const width = () => (stderr.isTTY ? (stderr.columns ?? 80) : Number.POSITIVE_INFINITY);
  const events: NodeEvent[] = [];
  const repeated = createRepeatedEvents();
  const pulls = new Map<string, PullProgress>();
  const speeds = createPullSpeeds(clock.now);
  const draw = () => {
    const view = { pods: pods(), pulls: [...pulls.values()], speeds };
    const table = podTable(view, clock.now(), width() - 1, paint);
    // The table comes first where there is not room for both.
    const room = stderr.isTTY ? Math.min(mostRepeated, (stderr.rows ?? 24) - 3 - table.length) : Infinity;
    region.draw([...repeatedLines(repeated.all(), room, paint), ...table]);
  };
  // The wait until the next attempt counts down, so the table changes without any signal too.
  const timer = setInterval(draw, frame);
  return {
    events,
    hear(signal: NodeSignal): void {
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
    say(line: string): void {
      region.log(line);
    },
    end(): void {
      clearInterval(timer);
      draw();
      region.end();
    },
  };
}

/** Says what became of the pods. @returns how many of them are not what they were to be */
export async function report(
  { pods, events }: PodsResult,
  { output, runtime }: OutputOptions & { readonly runtime?: string },
  io: Io,
): Promise<number> {
  const value = { apiVersion: "pulley.dev/v1alpha1", pods: pods.map(podValue), events };
  if (output !== "text") await print(output, value, () => [], io);
  const held = pods.filter((status) => status.phase === "Failed" || waiting(status).length > 0);
  for (const status of held) tellWhy(status, io);
  const summary = runtime === undefined ? preparedLines(pods, held) : [startedText(pods, held)];
  printLines("stderr", ["", ...summary.flatMap((line) => hanging("", line, widthOf(io)))], io);
  return held.length;
}

function tellWhy(status: PodStatus, io: Io): void {
  const { stderr } = io;
  const paint = paintFor(stderr, io);
  const width = widthOf(io);
  for (const container of [...status.imageVolumes, ...status.containers]) {
    const { name, state } = container;
    const why = whyHeld(container);
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

/** A command is not broken, so that it can be copied. */
function nextLines(call: string, width: number): readonly string[] {
  const line = `  To look at each step: ${call}`;
  return line.length <= width ? [line] : ["  To look at each step:", `    ${call}`];
}

/** Columns that a line may have. */
function widthOf({ stderr }: Io): number {
  return stderr.isTTY ? (stderr.columns ?? 80) : Number.POSITIVE_INFINITY;
}

function callFor(pod: PodStatus["pod"], container: string): string {
  const own = [...pod.containers, ...pod.imageVolumes].find(({ name }) => name === container);
  return printable(doctorCall(pod, own?.image ?? pod.name, own?.request.source?.file));
}

function whyHeld({ state }: ContainerStatus): { readonly message: string; readonly advice?: string } | undefined {
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
