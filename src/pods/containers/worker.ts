/** Works on one pod whose containers a runtime runs (k8s pkg/kubelet/kuberuntime/kuberuntime_manager.go, `SyncPod`). */

import { failureOf } from "../../pull/index.ts";
import type { Clock } from "../../support/clock.ts";
import { isPulleyError } from "../../support/errors.ts";
import { formatDuration } from "../../support/go.ts";
import type { ContainerSpec, PodContainer, PodFacts, PodSpec } from "../../workload/index.ts";
import type { SandboxStatus } from "../container-runtime.ts";
import { createPodImages, type VolumeFailures } from "../pod-images.ts";
import { createPodState } from "../pod-state.ts";
import type { PodWorker, PodWorkerOptions } from "../pod-worker.ts";
import { createRequeue } from "../requeue.ts";
import { requeueDelay } from "../resync.ts";
import { nextAction } from "./actions.ts";
import { sandboxConfig } from "./configs.ts";
import { createCrashBackOff } from "./crash-back-off.ts";
import { missesClusterDns } from "./dns-config.ts";
import { podLabels, podText } from "./labels.ts";
import { newestOf, nothingObserved, type Observed, observe, readySandbox } from "./observed.ts";
import type { Pleg } from "./pleg.ts";
import { podStatusOf } from "./pod-status.ts";
import { runtimeText, startContainer } from "./start-container.ts";
import { removePod, stopPod } from "./termination.ts";
import type { ContainersOptions, PodInput } from "./types.ts";

export interface ContainerWorkerOptions extends PodWorkerOptions {
  readonly input: PodInput;
  readonly containers: ContainersOptions;
  readonly pleg: Pleg;
  readonly clock: Clock;
}

export function createContainerWorker(options: ContainerWorkerOptions): PodWorker {
  const { pod, clock, random, emit, input, containers, pleg } = options;
  const { spec, objects } = input;
  const { runtime, folders, host } = containers;
  const labels = podLabels(pod, containers.node);
  const createdAt = clock.now();
  const state = createPodState(pod, createdAt);
  const crashes = createCrashBackOff(clock, containers.crashLoopBackOff);
  const lastWords = new Map<string, string>();
  let observed: Observed = nothingObserved;
  let runtimeName = "";
  let resting = false;
  let finished = false;
  let expired = false;
  /** What was wrong with the pod as a whole at the last sync. */
  let reported = "";
  /** Why the runtime could not be reached at the last sync. */
  let unasked = "";

  const status = () =>
    podStatusOf({
      input,
      observed,
      runtimeName,
      createdAt,
      resting,
      expired,
      host,
      lastWords,
      now: clock.now(),
      noted: state.statusOf,
      holdsUp: state.isHeldUp,
    });
  const emitStatus = () => emit({ kind: "pod", status: status() });
  const images = createPodImages(options, state, emitStatus);
  const requeue = createRequeue(clock);

  const ending = {
    runtime,
    sidecars: spec.containers.filter(({ isSidecar }) => isSidecar).map(({ name }) => name),
    killing: ({ name }: { readonly name: string }) => {
      const container = pod.containers.find((one) => one.name === name);
      images.recorder(container)("Normal", "Killing", `Stopping container ${name}`);
    },
  };

  async function look(): Promise<void> {
    if (runtimeName === "") runtimeName = (await runtime.version()).name;
    observed = await observe(runtime, labels);
    for (const { id, name, attempt, state: its } of observed.containers) {
      if (its === "exited" && !lastWords.has(id))
        lastWords.set(id, await folders.readTerminationLog(pod, name, attempt));
    }
  }

  function facts(sandbox: SandboxStatus | undefined): PodFacts {
    const podIPs = spec.hostNetwork ? [host.ip] : (sandbox?.ips ?? []);
    return { pod, spec, objects, podIPs, nodeName: host.name, hostIP: host.ip, capacity: host.capacity };
  }

  /** Records at each sync, as the kubelet does, what is wrong with the pod as a whole; shows it on every waiting container. */
  function complain(reason: string, message: string): void {
    for (const container of pod.containers) {
      const newest = newestOf(observed, container.name);
      if (newest?.state !== "running") state.noteFailure(container, failureOf("ContainerCreating", message));
    }
    reported = message;
    images.recorder()("Warning", reason, message);
  }

  function settle(): void {
    if (reported === "") return;
    reported = "";
    for (const container of pod.containers) {
      const { state: its } = state.statusOf(container);
      if (its.kind === "waiting" && its.reason === "ContainerCreating") state.forgetFailure(container);
    }
  }

  async function setUpVolumes(): Promise<boolean> {
    const problems = await folders.setUp(facts(undefined));
    for (const { volume, message } of problems) {
      complain("FailedMount", `MountVolume.SetUp failed for volume "${volume}" : ${message}`);
    }
    if (problems.length === 0) settle();
    return problems.length === 0;
  }

  async function makeSandbox(attempt: number): Promise<boolean> {
    if (attempt === 0 && missesClusterDns(spec)) tellOfDns();
    if (attempt > 0)
      images.recorder()("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    // The newest sandbox shows how its containers ended; older ones are of no use any more.
    const [newest, ...older] = observed.sandboxes;
    for (const { id } of older) {
      await runtime.stopPodSandbox(id);
      await runtime.removePodSandbox(id);
    }
    if (newest !== undefined) await stopPod({ ...observed, sandboxes: [{ ...newest, ready: true }] }, ending);
    try {
      await runtime.runPodSandbox(await sandboxConfig(input, attempt, containers));
    } catch (error) {
      complain("FailedCreatePodSandBox", `Failed to create pod sandbox: ${runtimeText(error)}`);
      return false;
    }
    settle();
    return true;
  }

  /** Why a pod can get no network of its own now: without a plugin for that, no sandbox is tried (k8s `NetworkNotReady`). */
  async function hasNetwork(): Promise<boolean> {
    if (spec.hostNetwork) return true;
    const missing = (await runtime.status()).find(({ type }) => type === "NetworkReady");
    if (missing === undefined) return true;
    const { type, reason, message } = missing;
    const why = `container runtime network not ready: ${type}=false reason:${reason} message:${message}`;
    complain("NetworkNotReady", `network is not ready: ${why}`);
    return false;
  }

  function tellOfDns(): void {
    const message = `pod: "${podText(pod)}". There is no cluster DNS on this node: the pod's policy "${spec.dnsPolicy}" is carried out as "Default".`;
    images.recorder()("Warning", "MissingClusterDNS", message);
  }

  /** Whether it is running now. */
  async function start(
    container: ContainerSpec,
    sandbox: SandboxStatus,
    volumes: VolumeFailures,
    signal: AbortSignal,
  ): Promise<boolean> {
    const own = pod.containers.find(({ name, kind }) => name === container.name && kind === container.kind);
    if (own === undefined || isCrashing(container, own)) return false;
    const record = images.recorder(own);
    if (images.isHeldUp(own, volumes)) return false;
    const failure = await images.ensure(own, signal);
    emitStatus();
    const { imageId } = state.statusOf(own);
    if (failure !== undefined || imageId === undefined) {
      if (failure !== undefined) record("Warning", "Failed", `Error: ${failure.reason}`);
      return false;
    }
    const newest = newestOf(observed, container.name);
    await forgetOlder(container);
    const attempt = newest === undefined ? 0 : newest.attempt + 1;
    const notStarted = await startContainer(
      {
        input,
        container,
        attempt,
        record,
        facts: facts(sandbox),
        image: { id: imageId, written: own.image },
        imageVolumes: mountableImages(),
        sandbox: { id: sandbox.id, config: await sandboxConfig(input, sandbox.metadata.attempt, containers) },
      },
      containers,
    );
    if (notStarted !== undefined) state.noteFailure(own, notStarted);
    return notStarted === undefined;
  }

  function isCrashing(container: ContainerSpec, own: PodContainer): boolean {
    const newest = newestOf(observed, container.name);
    if (newest?.state !== "exited") return false;
    const wait = crashes.waiting(container.name, newest.finishedAt);
    if (wait === undefined) {
      crashes.next(container.name, newest.finishedAt);
      return false;
    }
    const text = `Back-off restarting failed container ${container.name} in pod ${podText(pod)}`;
    images.recorder(own)("Warning", "BackOff", text);
    const message = `back-off ${formatDuration(wait.delay)} restarting failed container=${container.name} pod=${podText(pod)}`;
    state.noteFailure(own, { ...failureOf("CrashLoopBackOff", message), backOffUntil: wait.until });
    return true;
  }

  /** Removes the containers before the newest one. */
  async function forgetOlder({ name }: ContainerSpec): Promise<void> {
    const [, ...older] = observed.containers.filter((container) => container.name === name);
    for (const { id, attempt } of older) {
      await runtime.removeContainer(id);
      await folders.forget(pod, name, attempt);
    }
  }

  function mountableImages() {
    return new Map(
      pod.imageVolumes.flatMap((volume) => {
        const { imageId } = state.statusOf(volume);
        return imageId === undefined ? [] : [[volume.name, { id: imageId, written: volume.image }] as const];
      }),
    );
  }

  async function finish(): Promise<void> {
    const isRunning = observed.containers.some(({ state: its }) => its === "running" || its === "unknown");
    if (isRunning || readySandbox(observed) !== undefined) {
      await stopPod(observed, ending);
      await look();
    }
    finished = true;
  }

  function checkDeadline(): void {
    if (expired || !hasExpired(spec, createdAt, clock.now())) return;
    expired = true;
    const message = "Pod was active on the node longer than the specified deadline";
    images.recorder()("Normal", "DeadlineExceeded", message);
  }

  /** One sync of the pod: does what can be done now, and starts each container at most once. */
  async function sync(signal: AbortSignal): Promise<void> {
    await look();
    const started = new Set<string>();
    let volumes: VolumeFailures | undefined;
    for (;;) {
      signal.throwIfAborted();
      checkDeadline();
      const action = expired ? ({ kind: "finish" } as const) : nextAction(spec, observed);
      if (action.kind === "finish") return finish();
      if (action.kind === "makeSandbox") {
        if (!(await hasNetwork()) || !(await setUpVolumes()) || !(await makeSandbox(action.attempt))) return;
        await look();
        continue;
      }
      const sandbox = readySandbox(observed);
      const next = action.containers.filter(({ name }) => !started.has(name));
      if (next.length === 0 || sandbox === undefined) return;
      if (volumes === undefined) {
        if (!(await setUpVolumes())) return;
        images.reportMissingSecrets();
        volumes = await images.pullVolumes(signal);
      }
      let running = 0;
      try {
        for (const container of next) {
          started.add(container.name);
          if (await start(container, sandbox, volumes, signal)) running += 1;
        }
      } finally {
        // Also where the work ends in between, so that a container that was reported as started is shown as started.
        await look();
      }
      emitStatus();
      if (running === 0) return;
    }
  }

  async function syncOrComplain(signal: AbortSignal): Promise<boolean> {
    try {
      await sync(signal);
      unasked = "";
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPulleyError(error, "RUNTIME_UNREACHABLE", "RUNTIME_FAILED", "CANCELLED")) throw error;
      if (unasked !== error.message) images.recorder()("Warning", "FailedSync", `Error syncing pod: ${error.message}`);
      unasked = error.message;
      return false;
    }
  }

  return {
    status,
    wake: requeue.wake,
    run: async (signal) => {
      const stopListening = pleg.onChange(pod.uid, requeue.wake);
      try {
        for (;;) {
          resting = false;
          const isDone = await syncOrComplain(signal);
          resting = true;
          emitStatus();
          if (finished) return;
          const timing = { now: clock.now(), random };
          await requeue.wait(requeueDelay({ spec, status: status(), isDone }, timing), signal);
        }
      } finally {
        stopListening();
      }
    },
    remove: () => persist(() => removePod(pod, { ...ending, folders, labels }), clock),
  };
}

/** Seconds to wait for a runtime that does not answer: it may be restarting. */
const patience = 15;

async function persist(act: () => Promise<void>, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (attempt === patience || !isPulleyError(error, "RUNTIME_UNREACHABLE")) throw error;
    }
    await clock.sleep(1000);
  }
}

function hasExpired({ activeDeadlineSeconds }: PodSpec, since: number, now: number): boolean {
  return activeDeadlineSeconds !== undefined && now - since >= activeDeadlineSeconds * 1000;
}
