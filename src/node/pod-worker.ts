import type { LoginSource } from "../credentials/index.ts";
import type { Clock } from "../support/clock.ts";
import type { ContainerKind, Pod, PodContainer, PullSecret } from "../workload/types.ts";
import type { ImageManager } from "./image-manager.ts";
import type { Failure, RecordEvent } from "./image-pull.ts";
import { createPodState } from "./pod-state.ts";
import type { NodeSignal, PodStatus } from "./types.ts";

/** Works on one pod until all of its containers are prepared. */
export interface PodWorker {
  status(): PodStatus;
  /** Ends when there is nothing left to do, or with the signal's reason. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PodWorkerOptions {
  readonly pod: Pod;
  /** Those that exist of the pod's pull secrets. */
  readonly secrets: readonly PullSecret[];
  readonly logins: LoginSource;
  readonly images: ImageManager;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly tell: (signal: NodeSignal) => void;
}

/**
 * How long the kubelet rests between two looks at a pod, in milliseconds (k8s pkg/kubelet/pod_workers.go, kubelet.go):
 * after a failure, as long as the shortest back-off lasts, or `retryAfter` where there is none; never longer than
 * `resyncAfter`. What began to run is noticed after `relistAfter`, and the pod is looked at again: so a first failure to
 * pull is soon seen as a back-off.
 */
const retryAfter = 10_000;
const resyncAfter = 60_000;
const relistAfter = 1000;
/** The two longer rests are lengthened by up to this part of themselves, so that pods do not all move at once. */
const jitter = 0.5;

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { pod, secrets, logins, images, clock, random, tell } = options;
  const state = createPodState(pod, clock.now());
  let resting = false;

  function status(): PodStatus {
    return state.status(resting);
  }

  function tellStatus(): void {
    tell({ kind: "pod", status: status() });
  }

  function recorder(container?: PodContainer): RecordEvent {
    const { namespace, name, uid } = pod;
    const fieldPath = container && fieldPathOf(pod, container);
    return (type, reason, message) => {
      const event = { time: clock.now(), type, reason, message, pod: { namespace, name, uid }, fieldPath };
      tell({ kind: "event", event });
    };
  }

  async function ensure(container: PodContainer, signal: AbortSignal): Promise<Failure | undefined> {
    const ensured = await images.ensureImageExists({ pod, container, logins, record: recorder(container), signal });
    state.note(container, ensured);
    return ensured.failure;
  }

  /** Without a runtime, a container has started as far as it can when its image is here. */
  async function start(container: PodContainer, volumes: VolumeFailures, signal: AbortSignal): Promise<void> {
    const record = recorder(container);
    const mounted = container.mountedVolumes ?? pod.imageVolumes.map(({ name }) => name);
    const broken = mounted.flatMap((name) => volumes.get(name) ?? []);
    for (const { reason } of broken) record("Warning", "Failed", `Error: ${reason}`);
    const lastBroken = broken.at(-1);
    if (lastBroken !== undefined) {
      state.noteFailure(container, lastBroken);
    } else {
      const failure = await ensure(container, signal);
      if (failure !== undefined) record("Warning", "Failed", `Error: ${failure.reason}`);
    }
    tellStatus();
  }

  async function pullVolumes(signal: AbortSignal): Promise<VolumeFailures> {
    const failures = new Map<string, Failure>();
    for (const volume of pod.imageVolumes) {
      const failure = await ensure(volume, signal);
      if (failure !== undefined) failures.set(volume.name, failure);
      tellStatus();
    }
    return failures;
  }

  /**
   * One look at the pod (k8s pkg/kubelet/kuberuntime/kuberuntime_manager.go, `SyncPod`): image volumes, ephemeral
   * containers, init containers each after the one before it, then the containers, of which one may fail without
   * holding up the next. The kubelet takes a look for each init container; nothing runs here that would take time.
   */
  async function sync(signal: AbortSignal): Promise<void> {
    reportMissingSecrets();
    const volumes = await pullVolumes(signal);
    const waiting = (kind: ContainerKind) =>
      pod.containers.filter((container) => container.kind === kind && !state.isPrepared(container));
    for (const container of waiting("ephemeralContainer")) await start(container, volumes, signal);
    for (const container of waiting("initContainer")) {
      await start(container, volumes, signal);
      if (!state.isPrepared(container)) return;
    }
    for (const container of waiting("container")) await start(container, volumes, signal);
  }

  function reportMissingSecrets(): void {
    const missing = pod.imagePullSecrets.filter((name) => !secrets.some((secret) => secret.name === name));
    if (missing.length === 0) return;
    const message =
      `Unable to retrieve some image pull secrets (${missing.join(", ")}); ` +
      "attempting to pull the image may not succeed.";
    recorder()("Warning", "FailedToRetrieveImagePullSecret", message);
  }

  function preparedCount(): number {
    return pod.containers.filter(state.isPrepared).length;
  }

  function lengthened(milliseconds: number): number {
    return milliseconds * (1 + jitter * random());
  }

  /** How long to rest after a look that left something to do. */
  function rest(): number {
    const longest = lengthened(resyncAfter);
    const waits = [...pod.containers, ...pod.imageVolumes].map(state.statusOf).flatMap((container) => {
      if (container.state.kind !== "waiting" || container.backOffUntil === undefined) return [];
      const backingOff = container.state.reason === "ImagePullBackOff";
      return [backingOff ? container.backOffUntil - clock.now() : lengthened(retryAfter)];
    });
    return Math.min(longest, ...(waits.length > 0 ? waits : [lengthened(retryAfter)]));
  }

  return {
    status,
    run: async (signal) => {
      let preparedBefore = -1;
      for (;;) {
        resting = false;
        await sync(signal);
        resting = true;
        tellStatus();
        const prepared = preparedCount();
        if (prepared === pod.containers.length) return;
        const somethingRan = prepared > preparedBefore;
        preparedBefore = prepared;
        await clock.sleep(somethingRan ? relistAfter : Math.max(0, rest()), signal);
      }
    },
  };
}

type VolumeFailures = ReadonlyMap<string, Failure>;

const fields: Readonly<Record<Exclude<ContainerKind, "imageVolume">, string>> = {
  container: "spec.containers",
  initContainer: "spec.initContainers",
  ephemeralContainer: "spec.ephemeralContainers",
};

/** Where in the pod a container is; image volumes have no such place (k8s pkg/kubelet/container/ref.go). */
export function fieldPathOf(pod: Pod, container: PodContainer): string | undefined {
  const { kind, name } = container;
  if (kind === "imageVolume") return undefined;
  if (name !== "") return `${fields[kind]}{${name}}`;
  return `${fields[kind]}[${pod.containers.filter((other) => other.kind === kind).indexOf(container)}]`;
}
