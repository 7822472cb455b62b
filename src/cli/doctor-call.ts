import type { Pod } from "../workload/index.ts";

/** What to type to have a pull looked at; what came from standard input or the command line is named by its image. */
export function doctorCall(
  { namespace, name }: Pick<Pod, "namespace" | "name">,
  image: string,
  file: string | undefined,
): string {
  if (file === undefined || file === "-" || file === "command line") return `pulley doctor ${image}`;
  return `pulley doctor pod/${name} -n ${namespace} -f ${file}`;
}
