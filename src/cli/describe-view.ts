/**
 * A pod as `kubectl describe` prints it (k8s kubectl pkg/describe/describe.go), with the decision about each container's
 * image, the rules behind it, and advice where it failed.
 */
import type { ContainerStateObject, ContainerStatusObject, EventObject, PodObject } from "../daemon/index.ts";
import { warningText } from "../policy/index.ts";
import { humanDuration } from "../support/format.ts";
import { columns, pad, printable } from "../support/terminal.ts";
import { since } from "./get-view.ts";

/** Columns in front of the values: of the pod's fields, and of its containers'. */
const podColumn = 18;
const containerColumn = 20;

export function describePod(pod: PodObject, events: readonly EventObject[], now: number): string[] {
  return podLines(pod, events, now).map(printable);
}

function podLines(pod: PodObject, events: readonly EventObject[], now: number): string[] {
  const { metadata, spec, status } = pod;
  const field = (title: string, text: string) => `${pad(`${title}:`, podColumn)}${text}`.trimEnd();
  return [
    field("Name", metadata.name),
    field("Namespace", metadata.namespace),
    field("Service Account", spec.serviceAccountName),
    field("Node", `${spec.nodeName}/${status.hostIP ?? ""}`),
    field("Start Time", timeText(status.startTime)),
    ...mapping("Labels", metadata.labels, "="),
    ...mapping("Annotations", metadata.annotations, ": "),
    field("Status", status.phase),
    ...(status.reason === undefined ? [] : [field("Reason", status.reason)]),
    ...(status.message === undefined ? [] : [field("Message", status.message)]),
    field("IP", status.podIP ?? ""),
    ...(status.podIPs.length === 0
      ? [field("IPs", "<none>")]
      : ["IPs:", ...status.podIPs.map(({ ip }) => `  IP:  ${ip}`)]),
    ...containers("Init Containers", status.initContainerStatuses, now),
    ...containers("Containers", status.containerStatuses, now),
    ...containers("Ephemeral Containers", status.ephemeralContainerStatuses, now),
    ...conditions(pod),
    ...volumes(pod, now),
    ...eventLines(events, now),
    ...(isHeld(pod)
      ? ["", `To look at each step of its pulls: pulley doctor pod/${metadata.name} -n ${metadata.namespace}`]
      : []),
  ];
}

/** Whether a pull has failed: a container that only waits for its turn has no advice. */
function isHeld({ status }: PodObject): boolean {
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses, imageVolumeStatuses } = status;
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses, ...imageVolumeStatuses].some(
    ({ state }) => /^(ErrImage|ImagePull|InvalidImageName|ImageDenied)/.test(state.waiting?.reason ?? ""),
  );
}

function mapping(title: string, values: Readonly<Record<string, string>>, between: string): string[] {
  const entries = Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1));
  const texts = entries.length === 0 ? ["<none>"] : entries.map(([key, value]) => `${key}${between}${value}`);
  return texts.map((text, at) => `${pad(at === 0 ? `${title}:` : "", podColumn)}${text}`);
}

function containers(title: string, statuses: readonly ContainerStatusObject[], now: number): string[] {
  if (statuses.length === 0) return [];
  return [`${title}:`, ...statuses.flatMap((status) => [`  ${status.name}:`, ...containerLines(status, now)])];
}

function containerLines(status: ContainerStatusObject, now: number): string[] {
  const { containerID = "", image, imageID, state, lastState, ready, restartCount } = status;
  return [
    line(4, "Container ID", containerID),
    line(4, "Image", image),
    line(4, "Image ID", imageID),
    ...stateLines("State", state),
    ...(lastState.terminated === undefined ? [] : stateLines("Last State", lastState)),
    line(4, "Ready", ready ? "True" : "False"),
    line(4, "Restart Count", String(restartCount)),
    ...decisionLines(status, now),
  ];
}

function stateLines(title: string, { waiting, running, terminated, prepared }: ContainerStateObject): string[] {
  if (running !== undefined) return [line(4, title, "Running"), line(6, "Started", timeText(running.startedAt))];
  if (terminated !== undefined) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = terminated;
    return [
      line(4, title, "Terminated"),
      ...optional(6, "Reason", reason === "" ? undefined : reason),
      ...optional(6, "Message", message),
      line(6, "Exit Code", String(exitCode)),
      ...optional(6, "Signal", signal === undefined || signal === 0 ? undefined : String(signal)),
      line(6, "Started", timeText(startedAt)),
      line(6, "Finished", timeText(finishedAt)),
    ];
  }
  if (prepared !== undefined) return [line(4, title, "Prepared")];
  return [
    line(4, title, "Waiting"),
    ...optional(6, "Reason", waiting?.reason === "" ? undefined : waiting?.reason),
    ...optional(6, "Message", waiting?.message),
  ];
}

/** The lines that kubectl does not have. */
function decisionLines({ decision, backOffUntil, advice }: ContainerStatusObject, now: number): string[] {
  const wait = backOffUntil === undefined ? Number.NaN : Date.parse(backOffUntil) - now;
  const next = wait > 0 ? [line(4, "Next Attempt", `in ${humanDuration(wait)}`)] : [];
  if (decision === undefined) return [...next, ...optional(4, "Advice", advice)];
  const { action, reason, message, pullPolicy, trace, warnings = [] } = decision;
  return [
    line(4, "Pull Policy", `${pullPolicy.value}, ${fromWords[pullPolicy.from] ?? pullPolicy.from}`),
    line(4, "Decision", `${action}${reason === undefined ? "" : ` ${reason}`}`),
    line(6, "Message", message),
    ...trace.map(({ subject, rule, because }) =>
      line(6, subjectTitle(subject), rule === null ? because : `${because} (rule ${rule})`),
    ),
    ...warnings.map((warning) => line(6, "Warning", warningText(warning))),
    ...next,
    ...optional(4, "Advice", advice),
  ];
}

const fromWords: Readonly<Record<string, string>> = {
  manifest: "from the manifest",
  default: "Kubernetes' default",
  rule: "from a rule",
};

function subjectTitle(subject: string): string {
  return `${subject.slice(0, 1).toUpperCase()}${subject.slice(1)}`;
}

function conditions({ status }: PodObject): string[] {
  if (status.conditions.length === 0) return [];
  const rows = status.conditions.map(({ type, status: holds, message = "" }) => [`  ${type}`, holds, message]);
  return ["Conditions:", ...columns([["  Type", "Status", ""], ...rows])];
}

function volumes({ spec, status }: PodObject, now: number): string[] {
  if (spec.volumes.length === 0) return [];
  const lines = spec.volumes.flatMap(({ name, image }) => {
    const own = status.imageVolumeStatuses.find((volume) => volume.name === name);
    return [
      `  ${name}:`,
      line(4, "Type", "Image (a container image or OCI artifact)"),
      line(4, "Reference", image.reference),
      line(4, "PullPolicy", image.pullPolicy),
      ...(own === undefined ? [] : [...stateLines("State", own.state), ...decisionLines(own, now)]),
    ];
  });
  return ["Volumes:", ...lines];
}

function eventLines(events: readonly EventObject[], now: number): string[] {
  if (events.length === 0) return [`${pad("Events:", podColumn)}<none>`];
  const rows = events.map(({ type, reason, count, firstTimestamp, lastTimestamp, source, message }) => {
    const first = since(firstTimestamp, now);
    const age = count > 1 ? `${since(lastTimestamp, now)} (x${count} over ${first})` : first;
    return [type, reason, age, source.component, message.trim()];
  });
  const titles = ["Type", "Reason", "Age", "From", "Message"];
  const rules = ["----", "------", "----", "----", "-------"];
  return ["Events:", ...columns([titles, rules, ...rows], 2).map((text) => `  ${text}`)];
}

function line(indent: number, title: string, text: string): string {
  return `${pad(`${" ".repeat(indent)}${title}:`, containerColumn)}${text}`.trimEnd();
}

function optional(indent: number, title: string, text: string | undefined): string[] {
  return text === undefined ? [] : [line(indent, title, text)];
}

/** Go's RFC1123Z, in the time zone of whoever reads it: `Tue, 24 Nov 2026 12:00:00 +0000`. */
function timeText(time: string | undefined): string {
  const at = new Date(time ?? "");
  if (Number.isNaN(at.getTime())) return "";
  const offset = -at.getTimezoneOffset();
  const two = (number: number) => String(number).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const [day, month] = [days[at.getDay()], months[at.getMonth()]];
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${day}, ${two(at.getDate())} ${month} ${at.getFullYear()} ${clock} ${zone}`;
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
