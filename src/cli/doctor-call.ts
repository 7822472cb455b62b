import type { Pod } from "../workload/index.ts";

/** The `pulley doctor` command for a pull. A pod from standard input or the command line is given as its image. */
export function doctorCall(
  { namespace, name }: Pick<Pod, "namespace" | "name">,
  image: string,
  file: string | undefined,
): string {
  if (file === undefined || file === "-" || file === "command line") return `pulley doctor ${image}`;
  return `pulley doctor pod/${name} -n ${namespace} -f ${file}`;
}
