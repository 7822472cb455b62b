import type { Clock } from "../support/clock.ts";
import type { ContainerKind, PodContainer } from "../workload/index.ts";
import { createPodImages, type PodImagesOptions, type VolumeFailures } from "./pod-images.ts";
import { createPodState } from "./pod-state.ts";
import { createRequeue } from "./requeue.ts";
import { delayAfterFailure } from "./resync.ts";
import type { PodStatus } from "./types.ts";

/** Works on one pod: without a runtime until all of its containers and image volumes are prepared. */
export interface PodWorker {
  status(): PodStatus;
  /** Syncs the pod again at once: something may have changed that it waits for. */
  wake(): void;
  /** Ends when there is nothing left to do, or with the signal's reason. */
  run(signal: AbortSignal): Promise<void>;
  /** Stops the pod and removes all that was made for it; only after `run` has ended. */
  remove(): Promise<void>;
}

export interface PodWorkerOptions extends PodImagesOptions {
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** What began to run is noticed after so many milliseconds: so a first failure to pull is soon seen as a back-off. */
const relistAfter = 1000;

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { pod, clock, random, emit } = options;
  const state = createPodState(pod, clock.now());
  const requeue = createRequeue(clock);
  let resting = false;

  function status(): PodStatus {
    return state.status(resting);
  }

  function emitStatus(): void {
    emit({ kind: "pod", status: status() });
  }

  const images = createPodImages(options, state, emitStatus);

  /** Without a runtime, a container has started as far as it can when its image is here. */
  async function start(container: PodContainer, volumes: VolumeFailures, signal: AbortSignal): Promise<void> {
    if (!images.isHeldUp(container, volumes)) {
      const failure = await images.ensure(container, signal);
      if (failure !== undefined) images.recorder(container)("Warning", "Failed", `Error: ${failure.reason}`);
    }
    emitStatus();
  }

  /**
   * One sync of the pod (k8s pkg/kubelet/kuberuntime/kuberuntime_manager.go, `SyncPod`): image volumes, ephemeral
   * containers, init containers each after the one before it, then the containers, of which one may fail without
   * holding up the next. The kubelet needs a sync for each init container; here none of them runs.
   */
  async function sync(signal: AbortSignal): Promise<void> {
    images.reportMissingSecrets();
    const volumes = await images.pullVolumes(signal);
    const waiting = (kind: ContainerKind) =>
      pod.containers.filter((container) => container.kind === kind && !state.isPrepared(container));
    for (const container of waiting("ephemeralContainer")) await start(container, volumes, signal);
    for (const container of waiting("initContainer")) {
      await start(container, volumes, signal);
      if (!state.isPrepared(container)) return;
    }
    for (const container of waiting("container")) await start(container, volumes, signal);
  }

  const wanted = [...pod.containers, ...pod.imageVolumes];

  function preparedCount(): number {
    return wanted.filter(state.isPrepared).length;
  }

  function delay(): number {
    return delayAfterFailure(wanted.map(state.statusOf), { now: clock.now(), random });
  }

  return {
    status,
    wake: requeue.wake,
    run: async (signal) => {
      let preparedBefore = -1;
      for (;;) {
        resting = false;
        await sync(signal);
        resting = true;
        emitStatus();
        const prepared = preparedCount();
        if (prepared === wanted.length) return;
        const somethingRan = prepared > preparedBefore;
        preparedBefore = prepared;
        await requeue.wait(somethingRan ? relistAfter : delay(), signal);
      }
    },
    remove: () => Promise.resolve(),
  };
}
