/** What became of the pods of one run. */
import type { ContainerStatus, PodStatus } from "../pods/types.ts";
import { hanging, printable } from "../support/terminal.ts";
import { doctorCall } from "./doctor-call.ts";
import { type Io, paintFor } from "./io.ts";
import type { OutputOptions } from "./options.ts";
import { print } from "./output.ts";
import { waiting } from "./pod-view.ts";
import { printLines } from "./printing.ts";
import type { PodsResult } from "./run-pods.ts";

/** Says what became of the pods. @returns how many of them are not what they were to be */
export async function report(
  { pods, events }: PodsResult,
  { output, runtime }: OutputOptions & { readonly runtime?: string },
  io: Io,
): Promise<number> {
  const value = { apiVersion: "pulley.dev/v1alpha1", pods: pods.map(podValue), events };
  if (output !== "text") await print(output, value, () => [], io);
  const held = pods.filter((status) => status.phase === "Failed" || waiting(status).length > 0);
  for (const status of held) tellWhy(status, io);
  const summary = runtime === undefined ? preparedLines(pods, held) : [startedText(pods, held)];
  printLines("stderr", ["", ...summary.flatMap((line) => hanging("", line, widthOf(io)))], io);
  return held.length;
}

function tellWhy(status: PodStatus, io: Io): void {
  const { stderr } = io;
  const paint = paintFor(stderr, io);
  const width = widthOf(io);
  for (const container of [...status.imageVolumes, ...status.containers]) {
    const { name, state } = container;
    const why = whyHeld(container);
    if (why === undefined) continue;
    const where = paint("bold", printable(`${status.pod.namespace}/${status.pod.name}, ${name}:`));
    const below = (text: string) => hanging("  ", printable(text), width).map((line) => paint("dim", line));
    const lines = [
      "",
      ...hanging("", `${where} ${printable(why.message)}`, width),
      ...(why.advice === undefined ? [] : below(why.advice)),
      ...(state.kind === "waiting" && io.leavesNothing !== true
        ? nextLines(callFor(status.pod, name), width).map((line) => paint("dim", line))
        : []),
    ];
    printLines("stderr", lines, io);
  }
}

/** A command is not broken, so that it can be copied. */
function nextLines(call: string, width: number): readonly string[] {
  const line = `  To look at each step: ${call}`;
  return line.length <= width ? [line] : ["  To look at each step:", `    ${call}`];
}

/** Columns that a line may have. */
function widthOf({ stderr }: Io): number {
  return stderr.isTTY ? (stderr.columns ?? 80) : Number.POSITIVE_INFINITY;
}

function callFor(pod: PodStatus["pod"], container: string): string {
  const own = [...pod.containers, ...pod.imageVolumes].find(({ name }) => name === container);
  return printable(doctorCall(pod, own?.image ?? pod.name, own?.request.source?.file));
}

function whyHeld({ state }: ContainerStatus): { readonly message: string; readonly advice?: string } | undefined {
  if (state.kind === "waiting") return state.message === "" ? undefined : state;
  if (state.kind !== "terminated" || state.exitCode === 0) return undefined;
  const said = state.message === "" ? "" : `: ${state.message}`;
  return { message: `ended with exit code ${state.exitCode}, ${state.reason}${said}` };
}

function preparedLines(pods: readonly PodStatus[], held: readonly PodStatus[]): readonly string[] {
  const prepared = pods.length - held.length;
  const text = `${prepared} of ${pods.length} pods are prepared: their images are on this machine.`;
  if (prepared === 0) return [text];
  const runtime = "(--runtime unix:///run/containerd/containerd.sock)";
  return [text, `Nothing was started: that takes a container runtime ${runtime}.`];
}

function startedText(pods: readonly PodStatus[], held: readonly PodStatus[]): string {
  const sound = pods.filter((status) => !held.includes(status));
  const running = sound.filter(({ phase }) => phase === "Running").length;
  const completed = sound.filter(({ phase }) => phase === "Succeeded").length;
  return `Of ${pods.length} pods ${running} ran, ${completed} had completed, and ${held.length} were held up or had failed.`;
}

function podValue({ pod, ...status }: PodStatus) {
  const { namespace, name, uid } = pod;
  const { phase, reason, message, podIP, hostIP, containers, imageVolumes, conditions } = status;
  return { namespace, name, uid, phase, reason, message, podIP, hostIP, containers, imageVolumes, conditions };
}
