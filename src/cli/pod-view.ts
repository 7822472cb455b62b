/** How pods, events and pulls look to people: kubectl's words and columns, and a bar for each pull under way. */
import { podObject } from "../node/api/pod-object.ts";
import type { ContainerStatus, NodeEvent, PodStatus, PullProgress } from "../node/types.ts";
import { formatBytes } from "../support/bytes.ts";
import { bar, columns, fit, hanging, type Paint, printable } from "../support/terminal.ts";
import { age } from "./output.ts";
import { podSummary } from "./pod-summary.ts";

export interface PodView {
  readonly pods: readonly PodStatus[];
  readonly pulls: readonly PullProgress[];
}

const barWidth = 24;
const longestImage = 48;

/** The table of pods, with the pulls under way below it. */
export function podTable({ pods, pulls }: PodView, now: number, paint: Paint): string[] {
  // Where nothing is started, nothing is started again.
  const areStarted = pods.some(({ containers }) => containers.some(({ containerId }) => containerId !== undefined));
  const rows = pods.map((status) => {
    const { ready, status: reason, restarts } = podSummary(podObject(status, ""), now);
    return [
      podName(status, pods),
      ready,
      paint(colourOf(status), statusText(reason, status, now)),
      ...(areStarted ? [restarts] : []),
      age(status.createdAt, now),
    ];
  });
  const titles = ["NAME", "READY", "STATUS", ...(areStarted ? ["RESTARTS"] : []), "AGE"];
  const head = titles.map((title) => paint("bold", title));
  const active = pulls.filter(({ phase }) => phase === "waiting" || phase === "resolving" || phase === "downloading");
  return [
    "",
    ...columns([head, ...rows]),
    ...(active.length > 0 ? ["", ...columns(active.map((pull) => pullRow(pull, paint)))] : []),
  ];
}

/** One event as `kubectl get events` words it, in lines of at most `width` columns. */
export function eventLines(event: NodeEvent, paint: Paint, width: number): string[] {
  const clock = new Date(event.time).toTimeString().slice(0, 8);
  const container = /\{(.*)\}$/.exec(event.fieldPath ?? "")?.[1];
  const object = `pod/${event.pod.name}${container === undefined ? "" : `/${container}`}`;
  const tone = event.type === "Warning" ? "yellow" : "green";
  const prefix = `${paint("dim", clock)}  ${paint(tone, event.type.padEnd(7))}  ${printable(event.reason).padEnd(17)}  `;
  return hanging(prefix, `${paint("cyan", printable(object))}  ${printable(event.message)}`, width);
}

/** Why the pod is where it is, and how long until the next attempt. */
function statusText(why: string, status: PodStatus, now: number): string {
  const reason = printable(fit(why, 60));
  const [backOffUntil] = waiting(status).flatMap((one) => one.backOffUntil ?? []);
  const wait = backOffUntil === undefined ? 0 : Math.ceil((backOffUntil - now) / 1000);
  return wait > 0 ? `${reason} (next try in ${wait}s)` : reason;
}

/** The containers and image volumes of a pod that are waiting for something. */
export function waiting(status: PodStatus): ContainerStatus[] {
  return [...status.imageVolumes, ...status.containers].filter(({ state }) => state.kind === "waiting");
}

function isBeginning(reason: string): boolean {
  return reason === "ContainerCreating" || reason === "PodInitializing";
}

function colourOf(status: PodStatus): "green" | "red" | "yellow" {
  if (status.phase === "Failed") return "red";
  const held = waiting(status).some(({ state }) => state.kind === "waiting" && !isBeginning(state.reason));
  if (held) return "red";
  return status.phase === "Pending" ? "yellow" : "green";
}

/** With its namespace only where the pods are of more than one. */
function podName({ pod }: PodStatus, all: readonly PodStatus[]): string {
  const several = all.some((other) => other.pod.namespace !== pod.namespace);
  return printable(several ? `${pod.namespace}/${pod.name}` : pod.name);
}

/** The columns of one pull: its image, a bar, and how far it is. */
export function pullRow(pull: PullProgress, paint: Paint): string[] {
  const image = paint("cyan", printable(shortImage(pull.image)));
  if (pull.phase !== "downloading" || pull.total === 0) {
    return [image, paint("dim", bar(0, barWidth)), pull.phase === "waiting" ? "waiting for its turn" : "asking"];
  }
  const share = pull.received / pull.total;
  const done = pull.layers.filter(({ state }) => state === "complete" || state === "exists").length;
  const percent = `${String(Math.floor(share * 100)).padStart(3)}%`;
  const amount = `${formatBytes(pull.received)} of ${formatBytes(pull.total)}, ${done} of ${pull.layers.length} layers`;
  return [image, paint("green", bar(share, barWidth)), `${percent}  ${amount}`];
}

/** The end of an image's name tells more than its beginning, and the beginning of a digest is enough. */
function shortImage(image: string): string {
  const text = image.replace(/(@sha\d+:[0-9a-f]{12})[0-9a-f]+$/, "$1…");
  return text.length <= longestImage ? text : `…${text.slice(text.length - longestImage + 1)}`;
}
