/** Pods on a node, watched until they have settled or somebody has seen enough. */

import type { LoginSource } from "../credentials/index.ts";
import type { Platform } from "../image/platform.ts";
import type { KubeletConfiguration } from "../kubelet-config/index.ts";
import type { ContainersOptions } from "../pods/containers/types.ts";
import { createNode } from "../pods/pod-manager.ts";
import type { NodeEvent, NodeSignal, PodStatus } from "../pods/types.ts";
import { decide } from "../policy/decide.ts";
import type { Policy } from "../policy/types.ts";
import { usableProofs } from "../pull/content-proofs.ts";
import type { ContentSharing } from "../pull/content-sharing.ts";
import { openDecisionLog } from "../pull/decision-log/index.ts";
import type { HostsFor } from "../pull/local-facts.ts";
import { openPullRecords } from "../pull/records/index.ts";
import { createEmbeddedImageService } from "../pull/store-image-service.ts";
import type { PullProgress } from "../pull/types.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { PulleyError } from "../support/errors.ts";
import { liveRegion } from "../support/live.ts";
import { wantsColour } from "../support/terminal.ts";
import type { DataObjects } from "../workload/pod-spec/index.ts";
import type { Pod, PullSecret } from "../workload/types.ts";
import { type Io, interrupted, paintFor } from "./io.ts";
import type { ProviderNotes } from "./logins.ts";
import { createStay, type Stay } from "./pod-stay.ts";
import { eventLines, podTable } from "./pod-view.ts";
import type { PolicyFiles } from "./policy-option.ts";
import type { PolicyChanges, PolicyWatch } from "./policy-watch.ts";
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
  const node = createNode({
    images: createEmbeddedImageService({ store, registry, platform, clock, proofs }),
    policy: options.policy,
    decide,
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
  const policyWatch = policyFiles && (await watchChanges(policyFiles, changes, clock));
  const { containers } = options;
  let stay: Stay | undefined;
  try {
    stay = containers && (await createStay({ pods, root, containers, say: view.say }));
    node.add(pods, secrets, options.objects);
    await Promise.race([options.once ? node.settled() : node.ended(), interrupted(signal)]);
    // What is under way comes to its end first: a pull that was told of is counted, and nothing is told after the count.
    await node.stop();
    const result = { pods: node.pods(), events: view.events };
    if (stay === undefined || options.keep) return result;
    return { ...result, leftBehind: await stay.leave(node) };
  } finally {
    policyWatch?.stop();
    await node.stop();
    view.end();
    await stay?.release();
  }
}

/** Loaded only where there is a policy: its language takes longer to load than many runs take. */
async function watchChanges(files: PolicyFiles, changes: PolicyChanges, clock: Clock): Promise<PolicyWatch> {
  const { watchPolicy } = await import("./policy-watch.ts");
  return watchPolicy(files, changes, clock);
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
