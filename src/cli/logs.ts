import { type Command, InvalidArgumentError, Option } from "commander";
import type { NodeClient, PodObject } from "../daemon/index.ts";
import { PulleyError } from "../support/errors.ts";
import { daemonOptions, type NamespaceOptions, type SocketOptions, withDaemon } from "./daemon.ts";
import { podName } from "./describe.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples } from "./options.ts";
import { passOn, printLine } from "./printing.ts";

interface LogsOptions extends SocketOptions, NamespaceOptions {
  readonly container?: string;
  readonly follow?: true;
  readonly previous?: true;
  readonly timestamps?: true;
  readonly tail?: number;
  readonly since?: number;
}

export function define(command: Command, io: CommandIo): void {
  daemonOptions(command)
    .argument("<pod/name>", "Pod")
    .argument("[container]", "Container (default: the first container of the pod)")
    .addOption(new Option("-c, --container <name>", "Container, same as the argument"))
    .option("-f, --follow", "Keep printing new output until the container ends")
    .option("-p, --previous", "Print the logs of the previous instance of the container")
    .option("--timestamps", "Print a timestamp before each line")
    .addOption(new Option("--tail <lines>", "Number of most recent lines to print (default: all)").argParser(readCount))
    .addOption(
      new Option("--since <duration>", "Print only lines newer than this, such as 30s, 5m or 2h").argParser(readSince),
    )
    .addHelpText(
      "after",
      examples(
        ["pulley logs pod/web --follow --tail 20", "Print the last 20 lines of a container, and all new ones"],
        ["pulley logs pod/web -c sidecar --previous", "Print the logs of a container before its restart"],
      ),
    )
    .action(
      io.withStatus((pod: string, container: string | undefined, options: LogsOptions) =>
        withDaemon(options, io, (client) =>
          logs(client, podName(pod), { ...options, ...(container !== undefined && { container }) }, io),
        ),
      ),
    );
}

async function logs(client: NodeClient, name: string, options: LogsOptions, io: Io): Promise<void> {
  const { namespace = "default", follow = false, previous = false, timestamps = false, tail, since } = options;
  const container = options.container ?? firstContainer(await client.pod(namespace, name), io);
  const query = { namespace, pod: name, container, follow, previous, timestamps, tailLines: tail, sinceSeconds: since };
  await passOn(client.logs(query), io);
}

/** As kubectl, with its message if there are several. */
function firstContainer({ metadata, spec }: PodObject, io: Io): string {
  const named = metadata.annotations["kubectl.kubernetes.io/default-container"];
  const all = [
    ...spec.containers.map(({ name }) => name),
    ...spec.initContainers.map(({ name }) => `${name} (init)`),
    ...spec.ephemeralContainers.map(({ name }) => `${name} (ephem)`),
  ];
  const first = spec.containers.find(({ name }) => name === named)?.name ?? spec.containers[0]?.name;
  if (first === undefined) throw new PulleyError("INTERNAL", `the pod ${metadata.name} has no container`);
  if (all.length > 1 && first !== named) {
    printLine("stderr", `Defaulted container "${first}" out of: ${all.join(", ")}`, io);
  }
  return first;
}

function readCount(text: string): number | undefined {
  if (!/^(-1|\d{1,9})$/.test(text)) throw new InvalidArgumentError("it is not a number of lines");
  // As kubectl: all lines.
  return text === "-1" ? undefined : Number(text);
}

/** Seconds; rounded up, so that no line in the range is left out. */
function readSince(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new InvalidArgumentError("it is not a duration such as 30s, 5m or 1h30m");
  }
  return Math.ceil(parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? 0), 0));
}
