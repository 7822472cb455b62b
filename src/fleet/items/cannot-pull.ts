/** Pods that wait because their image cannot be had, with the cause told apart. */

import { shellWord } from "../../support/format.ts";
import type { PodContainer, PodRecord } from "../types.ts";
import {
  type Findings,
  type FleetItem,
  identityOf,
  itemOf,
  listed,
  named,
  type PullCause,
  workloadOf,
} from "./item.ts";
import { causeOf, causeWords, isAboutImage } from "./pull-cause.ts";

/** One cause of one image of a workload. */
interface Failure {
  readonly image: string;
  readonly container: string;
  readonly cause: PullCause;
  readonly pods: PodRecord[];
  message: string;
}

export function cannotPull({ clusters }: Findings): readonly FleetItem[] {
  return clusters.flatMap(({ pods }) => {
    const failures = new Map<string, Failure>();
    const running = new Set<string>();
    for (const pod of pods) {
      if (pod.ended) continue;
      for (const container of pod.containers) {
        if (container.waiting !== undefined && isAboutImage(container.waiting.reason)) addTo(failures, pod, container);
        else if (container.hasStarted) running.add(partOf(pod, container.spec.name));
      }
    }
    return [...failures.values()].map((failure) => itemFor(failure, running));
  });
}

function partOf({ workload }: PodRecord, container: string): string {
  return JSON.stringify([...identityOf(workload), container]);
}

function addTo(failures: Map<string, Failure>, pod: PodRecord, container: PodContainer): void {
  const { reason = "", message = "" } = container.waiting ?? {};
  const image = imageMeant(pod, container, message);
  const names = pod.containers.map(({ spec }) => spec.image);
  const cause = causeOf(
    reason,
    message,
    [...new Set([image, ...names])].toSorted((one, other) => other.length - one.length),
  );
  const key = JSON.stringify([identityOf(pod.workload), image, cause]);
  const known = failures.get(key);
  if (known === undefined) {
    failures.set(key, { image, container: container.spec.name, cause, pods: [pod], message });
    return;
  }
  if (!known.pods.includes(pod)) known.pods.push(pod);
  // "Back-off pulling image" alone says less than what comes with it.
  if (message.length > known.message.length) known.message = message;
}

/** What fails may be an image volume: the kubelet says so on each container that mounts it. */
function imageMeant({ containers }: PodRecord, { spec }: PodContainer, message: string): string {
  const volume = containers.find(
    (each) =>
      each.spec.kind === "imageVolume" && message.includes(`"${each.spec.image}"`) && each.spec.image !== spec.image,
  );
  return volume !== undefined && !message.includes(`"${spec.image}"`) ? volume.spec.image : spec.image;
}

function itemFor({ image, container, cause, pods, message }: Failure, running: ReadonlySet<string>): FleetItem {
  const [first] = pods;
  const workload = first?.workload;
  if (first === undefined || workload === undefined) throw new Error("a failure without a pod");
  const { title, advice } = causeWords[cause];
  const since = earliest(pods);
  const nodes = pods.map(({ node }) => node).filter((node) => node !== "");
  const secrets = pods.flatMap(({ pullSecrets }) => pullSecrets);
  const aboutLogin = cause === "unauthorized" || cause === "forbidden" || cause === "missing";
  const isDown = !running.has(partOf(first, container));
  const where = nodes.length === 0 ? "" : `, on ${listed(nodes)}`;
  const count = pods.length === 1 ? `pod ${first.name}` : `${pods.length} pods, ${first.name} among them`;
  return itemOf(
    "cannot-pull",
    [...identityOf(workload), image, cause],
    { severity: isDown ? "critical" : "high", title: `${named(workload)} cannot pull ${image}: ${title}`, advice },
    {
      clusters: [workload.cluster],
      workloads: [workloadOf(workload)],
      image,
      cause,
      since: since === undefined ? null : new Date(since).toISOString(),
      details: [
        `${count}${where}${isDown ? "; no pod of the workload has this container running" : ""}`,
        ...(aboutLogin
          ? [secrets.length === 0 ? "the pods name no pull secret" : `pull secrets: ${listed(secrets)}`]
          : []),
        ...(message === "" ? [] : [message]),
      ],
      command: `kubectl -n ${shellWord(workload.namespace)} describe ${shellWord(`pod/${first.name}`)}`,
    },
  );
}

function earliest(pods: readonly PodRecord[]): number | undefined {
  let found: number | undefined;
  for (const { notReadySince } of pods) {
    if (notReadySince !== undefined && (found === undefined || notReadySince < found)) found = notReadySince;
  }
  return found;
}
