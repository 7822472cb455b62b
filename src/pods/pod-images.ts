/** Pulls the images of one pod as its containers need them, and records the events. */
import type { LoginSource } from "../credentials/index.ts";
import type { Failure, ImageManager, RecordEvent } from "../pull/index.ts";
import type { Clock } from "../support/clock.ts";
import type { ContainerKind, Pod, PodContainer, PullSecret } from "../workload/index.ts";
import type { PodState } from "./pod-state.ts";
import type { NodeSignal } from "./types.ts";

export interface PodImagesOptions {
  readonly pod: Pod;
  /** The pod's pull secrets that exist. */
  readonly secrets: readonly PullSecret[];
  readonly logins: LoginSource;
  readonly images: ImageManager;
  readonly clock: Clock;
  readonly emit: (signal: NodeSignal) => void;
}

export interface PodImages {
  recorder(container?: PodContainer): RecordEvent;
  /** Pulls one image, and notes the result. */
  ensure(container: PodContainer, signal: AbortSignal): Promise<Failure | undefined>;
  /** Pulls the images of volumes; returns those that failed, by the volume's name. */
  pullVolumes(signal: AbortSignal): Promise<VolumeFailures>;
  /** Notes and records why a container cannot mount its image volumes; false if it can. */
  isHeldUp(container: PodContainer, volumes: VolumeFailures): boolean;
  reportMissingSecrets(): void;
}

export type VolumeFailures = ReadonlyMap<string, Failure>;

export function createPodImages(options: PodImagesOptions, state: PodState, tellStatus: () => void): PodImages {
  const { pod, secrets, logins, images, clock, emit } = options;

  function recorder(container?: PodContainer): RecordEvent {
    const { namespace, name, uid } = pod;
    const fieldPath = container && fieldPathOf(pod, container);
    return (type, reason, message) => {
      const event = { time: clock.now(), type, reason, message, pod: { namespace, name, uid }, fieldPath };
      emit({ kind: "event", event });
    };
  }

  async function ensure(container: PodContainer, signal: AbortSignal): Promise<Failure | undefined> {
    const ensured = await images.ensureImageExists({ pod, container, logins, record: recorder(container), signal });
    state.note(container, ensured);
    return ensured.failure;
  }

  return {
    recorder,
    ensure,
    pullVolumes: async (signal) => {
      const failures = new Map<string, Failure>();
      for (const volume of pod.imageVolumes) {
        const failure = await ensure(volume, signal);
        if (failure !== undefined) failures.set(volume.name, failure);
        tellStatus();
      }
      return failures;
    },
    isHeldUp: (container, volumes) => {
      const record = recorder(container);
      const mounted = container.mountedVolumes ?? pod.imageVolumes.map(({ name }) => name);
      const broken = mounted.flatMap((name) => volumes.get(name) ?? []);
      for (const { reason } of broken) record("Warning", "Failed", `Error: ${reason}`);
      const lastBroken = broken.at(-1);
      if (lastBroken !== undefined) state.noteFailure(container, lastBroken);
      return lastBroken !== undefined;
    },
    reportMissingSecrets: () => {
      const missing = pod.imagePullSecrets.filter((name) => !secrets.some((secret) => secret.name === name));
      if (missing.length === 0) return;
      const message =
        `Unable to retrieve some image pull secrets (${missing.join(", ")}); ` +
        "attempting to pull the image may not succeed.";
      recorder()("Warning", "FailedToRetrieveImagePullSecret", message);
    },
  };
}

const fields: Readonly<Record<Exclude<ContainerKind, "imageVolume">, string>> = {
  container: "spec.containers",
  initContainer: "spec.initContainers",
  ephemeralContainer: "spec.ephemeralContainers",
};

/** The field path of a container in its pod; image volumes have none (k8s pkg/kubelet/container/ref.go). */
export function fieldPathOf(pod: Pod, container: PodContainer): string | undefined {
  const { kind, name } = container;
  if (kind === "imageVolume") return undefined;
  if (name !== "") return `${fields[kind]}{${name}}`;
  return `${fields[kind]}[${pod.containers.filter((other) => other.kind === kind).indexOf(container)}]`;
}
