import { type Command, Option } from "commander";
import {
  apiVersion,
  type EventObject,
  type ImageObject,
  type NodeClient,
  type PodObject,
  type WatchEvent,
} from "../daemon/index.ts";
import { PulleyError } from "../support/errors.ts";
import { daemonOptions, type NamespaceOptions, type SocketOptions, withDaemon } from "./daemon.ts";
import { eventTable, growingColumns, imageTable, podTable, type RowOptions, type Table } from "./get-view.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples } from "./options.ts";
import { jsonText, printLine, printLines, printText, yamlText } from "./printing.ts";

interface GetOptions extends SocketOptions, NamespaceOptions {
  readonly allNamespaces?: true;
  readonly output?: "wide" | "json" | "yaml" | "name";
  readonly watch?: true;
  readonly selector?: string;
  readonly headers: boolean;
}

export function define(command: Command, io: CommandIo): void {
  daemonOptions(command)
    .argument("<kind>", "Resource type: pods, events or images; or pod/NAME")
    .argument("[name...]", "Names of pods (default: all)")
    .option("-A, --all-namespaces", "List pods and events of all namespaces")
    .addOption(new Option("-o, --output <format>", "Output format").choices(["wide", "json", "yaml", "name"]))
    .option("-w, --watch", "After listing, watch for changes until Ctrl-C")
    .option("-l, --selector <labels>", "Label selector to filter pods by, such as app=web,tier!=db")
    .option("--no-headers", "Do not print column headers")
    .addHelpText(
      "after",
      examples(
        ["pulley get pods --all-namespaces --watch", "List all pods of this node, and watch for changes"],
        ["pulley get events --namespace prod", "List the events of a namespace, newest last"],
      ),
    )
    .action(
      io.withStatus((kind: string, names: string[], options: GetOptions) =>
        withDaemon(options, io, (client) => get(client, readKind(kind, names), options, io)),
      ),
    );
}

interface ResourceArgument {
  readonly kind: "pods" | "events" | "images";
  readonly names: readonly string[];
}

const kinds: Readonly<Record<string, ResourceArgument["kind"]>> = {
  pods: "pods",
  pod: "pods",
  po: "pods",
  events: "events",
  event: "events",
  ev: "events",
  images: "images",
  image: "images",
};

function readKind(text: string, names: readonly string[]): ResourceArgument {
  const [word = "", name, ...more] = text.split("/");
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (kind === undefined || more.length > 0) {
    throw new PulleyError("USAGE", `the daemon has no resource type "${text}"`, {
      advice: "It has pods, events and images.",
    });
  }
  const all = name === undefined ? names : [name, ...names];
  if (kind !== "pods" && all.length > 0) {
    throw new PulleyError("USAGE", `${kind} cannot be listed by name`, { advice: `Run pulley get ${kind}.` });
  }
  return { kind, names: all };
}

async function get(client: NodeClient, wanted: ResourceArgument, options: GetOptions, io: Io): Promise<void> {
  const { kind, names } = wanted;
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? "default");
  const shown = { options, io, namespace };
  if (options.selector !== undefined && kind !== "pods") {
    throw new PulleyError("USAGE", `${kind} have no labels`, { advice: "Leave --selector out." });
  }
  switch (kind) {
    case "pods": {
      const query = { namespace, labelSelector: options.selector };
      const view = { kind: "pod", table: podTable, nameOf: (pod: PodObject) => pod.metadata.name, listKind: "PodList" };
      const isNamed = ({ metadata }: PodObject) => names.length === 0 || names.includes(metadata.name);
      if (options.watch) return watch(filtered(client.watchPods(query), isNamed), view, shown);
      if (names.length === 0) return list(await client.pods(query), view, shown);
      const pods = await Promise.all(names.map((name) => client.pod(namespace ?? "default", name)));
      return names.length === 1 && pods[0] !== undefined ? one(pods[0], view, shown) : list(pods, view, shown);
    }
    case "events": {
      const nameOf = (event: EventObject) => event.metadata.name;
      const view = { kind: "event", table: eventTable, nameOf, listKind: "EventList" };
      if (options.watch) return watch(client.watchEvents({ namespace }), view, shown);
      return list(await client.events({ namespace }), view, shown);
    }
    case "images": {
      if (options.watch)
        throw new PulleyError("USAGE", "images cannot be watched", { advice: "Watch events instead." });
      const view = {
        kind: "image",
        table: imageTable,
        nameOf: (image: ImageObject) => image.id,
        listKind: "ImageList",
      };
      return list(await client.images(), view, { ...shown, namespace: undefined });
    }
  }
}

interface View<Item> {
  readonly kind: string;
  readonly listKind: string;
  table(options: RowOptions): Table<Item>;
  nameOf(item: Item): string;
}

interface Shown {
  readonly options: GetOptions;
  readonly io: Io;
  readonly namespace: string | undefined;
}

function rowOptions({ options }: Shown): RowOptions {
  return { wide: options.output === "wide", namespaces: options.allNamespaces === true, now: Date.now() };
}

async function list<Item>(items: readonly Item[], view: View<Item>, shown: Shown): Promise<void> {
  const { options, namespace } = shown;
  const { io } = shown;
  switch (options.output) {
    case "json":
    case "yaml":
      return write({ apiVersion, kind: view.listKind, items }, options.output, shown.io);
    case "name":
      for (const item of items) printLine("stdout", `${view.kind}/${view.nameOf(item)}`, io);
      return;
    case "wide":
    case undefined: {
      if (items.length === 0) {
        printLine("stderr", `No resources found${namespace === undefined ? "" : ` in ${namespace} namespace.`}`, io);
        return;
      }
      const { titles, rows } = view.table(rowOptions(shown));
      const lines = growingColumns()([...(options.headers ? [titles] : []), ...items.flatMap(rows)]);
      printLines("stdout", lines, io);
    }
  }
}

/** Prints a single resource that was given by name, without a list around it. */
async function one<Item>(item: Item, view: View<Item>, shown: Shown): Promise<void> {
  const { output } = shown.options;
  if (output === "json" || output === "yaml") return write(item, output, shown.io);
  return list([item], view, shown);
}

async function watch<Item>(changes: AsyncIterable<WatchEvent<Item>>, view: View<Item>, shown: Shown): Promise<void> {
  const { options, io } = shown;
  const grow = growingColumns();
  let begun = false;
  for await (const { object } of changes) {
    switch (options.output) {
      case "json":
      case "yaml":
        await write(object, options.output, io, begun);
        break;
      case "name":
        printLine("stdout", `${view.kind}/${view.nameOf(object)}`, io);
        break;
      case "wide":
      case undefined: {
        const { titles, rows } = view.table(rowOptions(shown));
        const lines = grow([...(options.headers && !begun ? [titles] : []), ...rows(object)]);
        printLines("stdout", lines, io);
      }
    }
    begun = true;
  }
}

async function* filtered<Item>(
  changes: AsyncIterable<WatchEvent<Item>>,
  isWanted: (item: Item) => boolean,
): AsyncGenerator<WatchEvent<Item>> {
  for await (const change of changes) if (isWanted(change.object)) yield change;
}

/** @param follows whether another document came before it */
async function write(value: unknown, format: "json" | "yaml", io: Io, follows = false): Promise<void> {
  if (format === "json") {
    printText("stdout", `${jsonText(value, 4)}\n`, io);
    return;
  }
  printText("stdout", `${follows ? "---\n" : ""}${await yamlText(value)}`, io);
}
