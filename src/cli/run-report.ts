/** What became of the pods of one run. */
import type { PodStatus } from "../node/types.ts";
import { printable } from "../support/terminal.ts";
import type { OutputOptions } from "./options.ts";
import { print } from "./output.ts";
import { waiting } from "./pod-view.ts";
import type { PodsResult } from "./run-pods.ts";
import { paintFor, type Surroundings } from "./surroundings.ts";

/** Says what became of the pods; exit status 1 if any of them does not have its images. */
export async function report(
  { pods, events }: PodsResult,
  { output }: OutputOptions,
  surroundings: Surroundings,
): Promise<void> {
  const value = { apiVersion: "pulley.dev/v1alpha1", pods: pods.map(podValue), events };
  if (output !== "text") await print(output, value, () => [], surroundings);
  const held = pods.filter((status) => waiting(status).length > 0);
  const { stderr } = surroundings;
  const paint = paintFor(stderr, surroundings);
  for (const status of held) {
    for (const { name, state } of waiting(status)) {
      if (state.kind !== "waiting" || state.message === "") continue;
      const where = paint("bold", `${status.pod.namespace}/${status.pod.name}, ${name}:`);
      const advice = state.advice === undefined ? "" : `  ${paint("dim", printable(state.advice))}\n`;
      stderr.write(`\n${where} ${printable(state.message)}\n${advice}`);
    }
  }
  const prepared = pods.length - held.length;
  stderr.write(`\n${prepared} of ${pods.length} pods are prepared: their images are on this machine.\n`);
  if (prepared > 0)
    stderr.write(
      "Nothing was started: that takes a container runtime (--runtime unix:///run/containerd/containerd.sock).\n",
    );
  if (held.length > 0 && process.exitCode === undefined) process.exitCode = 1;
}

function podValue({ pod, phase, containers, imageVolumes, conditions }: PodStatus) {
  const { namespace, name, uid } = pod;
  return { namespace, name, uid, phase, containers, imageVolumes, conditions };
}
