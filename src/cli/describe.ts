import type { Command } from "commander";
import { apiVersion, type NodeClient, type PodObject } from "../daemon/index.ts";
import { PulleyError } from "../support/errors.ts";
import { daemonOptions, type NamespaceOptions, type SocketOptions, withDaemon } from "./daemon.ts";
import { describePod } from "./describe-view.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { printLine } from "./printing.ts";

interface DescribeOptions extends SocketOptions, NamespaceOptions, OutputOptions {}

export function define(command: Command, io: CommandIo): void {
  daemonOptions(command)
    .argument("<pod/name...>", "pod/NAME, or pod and names, or pods for all pods of the namespace")
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley describe pod/web", "Show containers, states, decisions with their rules, and events of a pod"],
        ["pulley describe pods --namespace prod", "Show all pods of a namespace"],
      ),
    )
    .action(
      io.withStatus((words: string[], options: DescribeOptions) =>
        withDaemon(options, io, (client) => describe(client, podNames(words), options, io)),
      ),
    );
}

async function describe(client: NodeClient, names: readonly string[], options: DescribeOptions, io: Io): Promise<void> {
  const { namespace = "default", output } = options;
  const pods: readonly PodObject[] =
    names.length === 0
      ? await client.pods({ namespace })
      : await Promise.all(names.map((name) => client.pod(namespace, name)));
  if (pods.length === 0) {
    printLine("stderr", `No resources found in ${namespace} namespace.`, io);
    return;
  }
  const described = await Promise.all(
    pods.map(async (pod) => {
      const all = await client.events({ namespace, pod: pod.metadata.name });
      return { pod, events: all.filter(({ involvedObject }) => involvedObject.uid === pod.metadata.uid) };
    }),
  );
  const now = Date.now();
  const lines = () =>
    described.flatMap(({ pod, events }, at) => [...(at > 0 ? ["", ""] : []), ...describePod(pod, events, now)]);
  await print(output, { apiVersion, pods: described }, lines, io);
}

/** The pod names in `pod/web` or `pod web api`; none in `pods`, which means all. */
export function podNames(words: readonly string[]): readonly string[] {
  const [first = "", ...rest] = words;
  if (isPodWord(first)) return rest.map((word) => podName(word));
  return words.map((word) => {
    if (!word.includes("/")) {
      throw new PulleyError("USAGE", `the daemon has no resource type "${word}"`, { advice: "Write it as pod/NAME." });
    }
    return podName(word);
  });
}

/** The name in `web` or `pod/web`. */
export function podName(word: string): string {
  const [kind = "", name, ...more] = word.split("/");
  if (name === undefined) return kind;
  if (isPodWord(kind) && name !== "" && more.length === 0) return name;
  throw new PulleyError("USAGE", `"${word}" is not the name of a pod`, { advice: "Write it as pod/NAME." });
}

function isPodWord(word: string): boolean {
  return word === "pod" || word === "pods" || word === "po";
}
