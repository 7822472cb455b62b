import { setMaxListeners } from "node:events";
import type { LoginSource } from "../credentials/index.ts";
import type { Policy, Prepare } from "../policy/index.ts";
import { createBackOff, type DecisionLog, type HostsFor, type PullRecords, type Pulls } from "../pull/index.ts";
import type { Clock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import type { DataObjects, Pod, PullSecret } from "../workload/index.ts";
import { nodeLabels } from "./containers/labels.ts";
import { rotateLogs, runningLogs } from "./containers/log-rotation.ts";
import { createPleg } from "./containers/pleg.ts";
import type { ContainersOptions } from "./containers/types.ts";
import { createContainerWorker } from "./containers/worker.ts";
import { createPodWorker, type PodWorker } from "./pod-worker.ts";
import type { NodeSignal, PodStatus } from "./types.ts";

/** Runs the pods of a node, or only prepares their images where there is no container runtime. */
export interface PodManager {
  /**
   * Adds pods, and begins to work on all of them at once.
   * @param secrets every pull secret that exists; each pod uses those of its own namespace that it names
   * @param objects ConfigMaps and Secrets, for environments and volumes; only where there is a runtime
   */
  add(pods: readonly Pod[], secrets: readonly PullSecret[], objects?: DataObjects): void;
  /** Stops a pod's containers within their grace period, and removes them and all that was made for the pod. */
  remove(pod: Pod): Promise<void>;
  /** Replaces the policy for what begins from now on; every waiting pod is synced at once. */
  setPolicy(policy: Policy): void;
  /** Calls the listener with each signal of the node, until the returned function is called. */
  onSignal(listen: (signal: NodeSignal) => void): () => void;
  /** The state of every pod, in the order in which they came. */
  pods(): readonly PodStatus[];
  /** Resolves as soon as every pod is settled. Rejects if the node ends before. */
  settled(): Promise<void>;
  /**
   * Ends all work; containers go on running. What was received of pulls under way is kept for the
   * next time.
   */
  stop(): Promise<void>;
  /** Resolves when the node was stopped; rejects if a fault of its own ended it, which is never a failed pull. */
  ended(): Promise<void>;
}

export interface PodManagerOptions {
  readonly pulls: Pulls;
  readonly policy: Policy;
  /** Default: `decide` of the policy. */
  readonly prepare?: Prepare | undefined;
  /** The hosts configured for a registry; absent: the registry in the image's name. */
  readonly hosts?: HostsFor | undefined;
  /** The logins of a pod, given those of its pull secrets that exist, in the pod's order. */
  readonly loginsFor: (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;
  /** Absent: every pod may use every image that is here. */
  readonly records: PullRecords | undefined;
  /** The decision log; absent: none. */
  readonly log?: DecisionLog;
  /** What starts containers; absent: they are only prepared. */
  readonly containers?: ContainersOptions | undefined;
  readonly clock: Clock;
  /** A number from 0 up to 1, for the jitter. */
  readonly random: () => number;
}

const noObjects: DataObjects = { configMaps: [], secrets: [] };

interface PodOnNode {
  readonly pod: Pod;
  readonly worker: PodWorker;
  /** Never rejects. */
  readonly run: Promise<void>;
  /** Ends the work on it. */
  leave(): void;
}

export function createPodManager(options: PodManagerOptions): PodManager {
  const { pulls, prepare, hosts, loginsFor, records, log, containers, clock, random } = options;
  let { policy } = options;
  pulls.puller.onProgress((progress) => emit({ kind: "pull", progress }));
  const backOff = createBackOff(clock);
  const manager = pulls.manager({
    backOff,
    records,
    prepare,
    hosts,
    log,
    policy: () => policy,
    onEnsured: (ensured) => emit({ kind: "ensured", ensured }),
  });
  const stopped = new PulleyError("CANCELLED", "the node was stopped");
  const removed = new PulleyError("CANCELLED", "the pod was removed");
  const stopping = new AbortController();
  const { signal: end } = stopping;
  // Every pod adds a listener; Node would warn of a leak above ten.
  setMaxListeners(0, end);
  const ended = new Promise<void>((resolve, reject) => {
    end.addEventListener("abort", () => (end.reason === stopped ? resolve() : reject(end.reason)));
  });
  // Callers that care call `ended`.
  ended.catch(() => undefined);
  const listeners = new Set<(signal: NodeSignal) => void>();
  const pods = new Set<PodOnNode>();

  function emit(signal: NodeSignal): void {
    for (const listen of listeners) listen(signal);
  }

  const lastingWork: Promise<void>[] = [];
  const pleg = containers && createPleg(containers.runtime, nodeLabels(containers.node), clock);
  if (containers !== undefined && pleg !== undefined) {
    lasting(pleg.run(end));
    lasting(rotateLogs({ runtime: containers.runtime, clock, running: () => runningLogs(statuses()) }, end));
  }

  /** Work that goes on until the end, which a fault in it is. */
  function lasting(work: Promise<void>): void {
    const done = work.catch((error: unknown) => {
      if (!end.aborted) stopping.abort(error);
    });
    lastingWork.push(done);
  }

  function statuses(): readonly PodStatus[] {
    return [...pods].map(({ worker }) => worker.status());
  }

  function takeOn(pod: Pod, secrets: readonly PullSecret[], objects: DataObjects): void {
    const own = pod.imagePullSecrets.flatMap(
      (name) => secrets.find((secret) => secret.namespace === pod.namespace && secret.name === name) ?? [],
    );
    const logins = loginsFor(pod, own);
    const given = { pod, secrets: own, logins, images: manager, clock, random, emit };
    const { spec } = pod;
    const worker =
      containers === undefined || pleg === undefined || spec === undefined
        ? createPodWorker(given)
        : createContainerWorker({ ...given, input: { pod, spec, objects }, containers, pleg });
    const leaving = new AbortController();
    const follow = () => leaving.abort(end.reason);
    end.addEventListener("abort", follow, { once: true });
    if (end.aborted) follow();
    emit({ kind: "pod", status: worker.status() });
    const run = worker
      .run(leaving.signal)
      .catch((error: unknown) => {
        if (error !== removed) stopping.abort(error);
      })
      .finally(() => end.removeEventListener("abort", follow));
    pods.add({ pod, worker, run, leave: () => leaving.abort(removed) });
  }

  async function remove(pod: Pod): Promise<void> {
    const found = [...pods].find((one) => one.pod.uid === pod.uid);
    if (found === undefined) return;
    found.leave();
    await found.run;
    await found.worker.remove();
    pods.delete(found);
    emit({ kind: "removed", pod });
  }

  function untilSettled(): Promise<void> {
    return new Promise((resolve) => {
      const check = (signal?: NodeSignal) => {
        if (signal?.kind === "event" || signal?.kind === "pull") return;
        if (signal?.kind === "pod" && !signal.status.settled) return;
        if (![...pods].every(({ worker }) => worker.status().settled)) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
    });
  }

  return {
    add: (taken, secrets, objects = noObjects) => {
      for (const pod of taken) takeOn(pod, secrets, objects);
    },
    remove,
    setPolicy: (next) => {
      policy = next;
      for (const { worker } of pods) worker.wake();
    },
    onSignal: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    pods: statuses,
    settled: () => Promise.race([ended.then(() => Promise.reject(stopped)), untilSettled()]),
    stop: async () => {
      stopping.abort(stopped);
      await Promise.all([...pods].map(({ run }) => run));
      await Promise.all(lastingWork);
      await log?.flush();
    },
    ended: () => ended,
  };
}
