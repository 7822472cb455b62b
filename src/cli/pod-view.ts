/** Pods, events and pulls as text, with the columns of kubectl. */
import { podObject } from "../daemon/index.ts";
import type { ContainerStatus, NodeEvent, PodStatus } from "../pods/index.ts";
import type { PullProgress } from "../pull/index.ts";
import { columns, fit, hanging, type Paint, printable, widthOf } from "../support/terminal.ts";
import { age } from "./output.ts";
import { podSummary } from "./pod-summary.ts";
import type { PullSpeeds } from "./pull-speeds.ts";
import { pullLines } from "./pull-view.ts";
import { objectOf } from "./repeated-events.ts";

export interface PodTableView {
  readonly pods: readonly PodStatus[];
  readonly pulls: readonly PullProgress[];
  readonly speeds: Pick<PullSpeeds, "of">;
}

/** Width of a terminal, in columns, below which the message of an event is printed below it. */
const narrow = 72;

/**
 * The table of pods, with the pulls under way below it.
 * @param width maximum columns of a line; if there are too few, words are shortened
 */
export function podTable({ pods, pulls, speeds }: PodTableView, now: number, width: number, paint: Paint): string[] {
  // Where nothing is started, nothing is started again.
  const areStarted = pods.some(({ containers }) => containers.some(({ containerId }) => containerId !== undefined));
  const rows = (isShort: boolean) =>
    pods.map((status) => {
      const { ready, status: reason, restarts } = podSummary(podObject(status, ""), now);
      return [
        podName(status, pods),
        ready,
        paint(colourOf(status), statusText(reason, status, now, isShort)),
        ...(areStarted ? [restarts] : []),
        age(status.createdAt, now),
      ];
    });
  const titles = ["NAME", "READY", "STATUS", ...(areStarted ? ["RESTARTS"] : []), "AGE"];
  const head = titles.map((title) => paint("bold", title));
  const active = pulls.filter(({ phase }) => phase === "waiting" || phase === "resolving" || phase === "downloading");
  const table = columns([head, ...rows(false)]);
  const fits = table.every((line) => widthOf(line) <= width);
  return [
    "",
    ...(fits ? table : columns([head, ...rows(true)], 2)),
    ...(active.length > 0 ? ["", ...pullLines(active, speeds, width, paint)] : []),
  ];
}

/** An event as `kubectl get events` prints it, in lines of at most `width` columns. */
export function eventLines(event: NodeEvent, paint: Paint, width: number): string[] {
  const clock = new Date(event.time).toTimeString().slice(0, 8);
  const tone = event.type === "Warning" ? "yellow" : "green";
  const prefix = `${paint("dim", clock)}  ${paint(tone, event.type.padEnd(7))}  ${printable(event.reason).padEnd(17)}  `;
  const object = paint("cyan", printable(objectOf(event)));
  const message = printable(event.message);
  if (width >= narrow) return hanging(prefix, breakable(`${object}  ${message}`, width - widthOf(prefix)), width);
  const head = `${paint("dim", clock)} ${paint(tone, printable(event.reason))} ${object}`;
  return [head, ...hanging("  ", breakable(message, width - 2), width)];
}

/** A digest is longer than a line may be: it is broken where the line ends, and not by the terminal. */
function breakable(text: string, room: number): string {
  return Number.isFinite(room) ? text.replace(new RegExp(`[!-~]{${room}}(?=[!-~])`, "g"), "$& ") : text;
}

/** The status of the pod, and the time until the next attempt. */
function statusText(why: string, status: PodStatus, now: number, isShort: boolean): string {
  const reason = printable(fit(why, 60));
  const [backOffUntil] = waiting(status).flatMap((one) => one.backOffUntil ?? []);
  const wait = backOffUntil === undefined ? 0 : Math.ceil((backOffUntil - now) / 1000);
  if (wait <= 0) return reason;
  return isShort ? `${reason} (${wait}s)` : `${reason} (next try in ${wait}s)`;
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
