/**
 * A watched folder of manifests: what is in it runs, what is taken out of it ends, what changes is ended and started
 * anew. A file that is broken is reported, and what it asked for before goes on.
 */
import type { Clock } from "../../support/clock.ts";
import { errorText } from "../../support/errors.ts";
import type { Pod, Problem } from "../../workload/index.ts";
import { type FoundPod, foundPods, removeOrphan } from "../containers/orphans.ts";
import type { PodLocks } from "../containers/pod-locks.ts";
import type { ContainersOptions } from "../containers/types.ts";
import type { PodManager } from "../pod-manager.ts";
import {
  accountsOf,
  combined,
  type FilePods,
  filePods,
  manifestFolder,
  type ReadFile,
  readFileDocuments,
  type WantedPods,
} from "./folder.ts";

export interface StaticPodsOptions {
  readonly folder: string;
  readonly node: Pick<PodManager, "add" | "remove">;
  /** What starts containers; absent: pods are only prepared. */
  readonly containers: ContainersOptions | undefined;
  /** Locks of the node's folder; absent where nothing is started. */
  readonly locks: PodLocks | undefined;
  readonly clock: Clock;
  /** Called with each problem once. */
  readonly warn: (line: string) => void;
}

export interface StaticPods {
  /** Watches the folder until the signal aborts; rejects with its reason. The pods go on running. */
  run(signal: AbortSignal): Promise<void>;
}

interface StaticPodState {
  readonly pod: Pod;
  state: "coming" | "there" | "leaving";
}

/** Milliseconds between two scans of the folder. */
const period = 1000;

export function createStaticPods({ folder, node, containers, locks, clock, warn }: StaticPodsOptions): StaticPods {
  const source = manifestFolder(folder);
  const documents = new Map<string, ReadFile>();
  /** What each file asked for when it was last sound. */
  const sound = new Map<string, FilePods>();
  const known = new Map<string, StaticPodState>();
  /** What is being done about the pod of a name, one thing after another. */
  const work = new Map<string, Promise<void>>();
  /** Removals of pods that ran before, by uid: each pod is removed once. */
  const removals = new Map<string, Promise<void>>();
  let reported = new Set<string>();

  /** Reports the problems that the scan before did not have. */
  function warnNew(lines: readonly string[]): void {
    for (const line of lines) if (!reported.has(line)) warn(line);
    reported = new Set(lines);
  }

  async function look(): Promise<void> {
    const { names, changed, problems } = await source.scan();
    for (const file of changed) documents.set(file.name, readFileDocuments(file));
    for (const name of documents.keys()) if (!names.has(name)) documents.delete(name);
    for (const name of sound.keys()) if (!names.has(name)) sound.delete(name);
    const lines = [...problems];
    const accounts = accountsOf([...documents.values()]);
    for (const [name, read] of documents) {
      const pods = filePods(read, accounts);
      lines.push(...pods.problems.map((problem) => text("error", problem)));
      lines.push(...pods.warnings.map((warning) => text("warning", warning)));
      if (pods.problems.length === 0) sound.set(name, pods);
    }
    const wanted = combined([...sound].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, pods]) => pods));
    warnNew([...lines, ...wanted.problems.map((problem) => text("error", problem))]);
    change(wanted);
  }

  function change({ pods, secrets, objects }: WantedPods): void {
    const wanted = new Set(pods.map(({ uid }) => uid));
    for (const [uid, entry] of known) if (!wanted.has(uid) && entry.state === "there") end(entry);
    for (const pod of pods) if (!known.has(pod.uid)) begin(pod, { secrets, objects });
  }

  function begin(pod: Pod, { secrets, objects }: Pick<WantedPods, "secrets" | "objects">): void {
    const entry: StaticPodState = { pod, state: "coming" };
    known.set(pod.uid, entry);
    next(pod, async () => {
      try {
        await locks?.take(pod);
        await endEarlier(pod);
        node.add([pod], secrets, objects);
        entry.state = "there";
      } catch (error) {
        known.delete(pod.uid);
        throw error;
      }
    });
  }

  function end(entry: StaticPodState): void {
    const { pod } = entry;
    entry.state = "leaving";
    next(pod, async () => {
      try {
        await node.remove(pod);
        await locks?.release(pod.uid);
        known.delete(pod.uid);
      } catch (error) {
        entry.state = "there";
        throw error;
      }
    });
  }

  /** The new pod of a name starts when the old one has ended. What fails is reported, and tried again at a later scan. */
  function next({ namespace, name }: Pod, act: () => Promise<void>): void {
    const key = `${namespace}/${name}`;
    const before = work.get(key) ?? Promise.resolve();
    const done = before.then(act).catch((error: unknown) => warn(`${key}: ${errorText(error)}`));
    work.set(key, done);
  }

  /** A pod that was changed while the node was away: what runs of it ends first, or it would be there twice. */
  async function endEarlier({ namespace, name }: Pod): Promise<void> {
    try {
      await removeOrphans((found) => found.namespace === namespace && found.name === name);
    } catch (error) {
      // The runtime may only be away for now; starting the pod reports that, and the removal is tried again.
      warn(`${namespace}/${name}: what is left of it could not be removed yet: ${errorText(error)}`);
    }
  }

  /** Pods that ran before the node was restarted, and are no longer wanted. */
  async function removeOrphans(which: (found: FoundPod) => boolean = () => true): Promise<void> {
    if (containers === undefined) return;
    for (const found of (await foundPods(containers)).filter(which)) {
      if (!found.isStatic || known.has(found.uid) || (await locks?.isTaken(found.uid))) continue;
      const { uid, namespace, name } = found;
      let removal = removals.get(uid);
      if (removal === undefined) {
        warn(`removing what is left of the pod ${namespace}/${name}, which no manifest asks for`);
        removal = removeOrphan(found, containers).finally(() => removals.delete(uid));
        removals.set(uid, removal);
      }
      await removal;
    }
  }

  return {
    run: async (signal) => {
      let isClean = false;
      for (;;) {
        await look();
        if (!isClean) {
          isClean = await removeOrphans().then(
            () => true,
            (error: unknown) => {
              warnNew([...reported, `what is left of earlier pods could not be removed yet: ${errorText(error)}`]);
              return false;
            },
          );
        }
        await clock.sleep(period, signal);
      }
    },
  };
}

function text(level: "error" | "warning", { source, message }: Problem): string {
  return `${source.file}:${source.line}:${source.column}: ${level}: ${message}`;
}
