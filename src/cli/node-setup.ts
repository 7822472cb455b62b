/** `pulley node setup containerd`, a command of `pulley node`. */
import { Argument, type Command } from "commander";
import { unifiedDiff } from "../audit/index.ts";
import {
  carryOut,
  configPathLines,
  defaultFolder,
  hidingFolders,
  planSetup,
  planUndo,
  readContainerdConfig,
  registryOf,
  type SetupChange,
} from "../hosts/index.ts";
import { isLoopback } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import { examples, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { printLines } from "./printing.ts";

interface SetupOptions extends OutputOptions {
  readonly mirror?: string;
  readonly onlyMirror?: true;
  readonly configPath?: string;
  readonly containerdConfig: string;
  readonly registries?: string;
  readonly all?: true;
  readonly undo?: true;
  readonly dryRun?: true;
}

const usualPath = "/etc/containerd/certs.d";

export function define(command: Command, io: CommandIo): void {
  command
    .description("Configure a container runtime to use the mirror, or undo that.")
    .addArgument(new Argument("<runtime>", "Container runtime").choices(["containerd"]))
    .option("--mirror <address>", "Address of the mirror (pulley node --mirror), as http://127.0.0.1:PORT")
    .option("--only-mirror", "Do not let containerd fall back to the registry when the mirror fails or refuses")
    .option(
      "--config-path <dir>",
      `Directory of hosts.toml files (default: config_path of containerd, or ${usualPath})`,
    )
    .option(
      "--containerd-config <file>",
      "Configuration file of containerd, which is not changed",
      "/etc/containerd/config.toml",
    )
    .option("--registries <names>", "Registries to configure, separated by commas")
    .option(
      "--all",
      "Configure all registries without a directory of their own (_default); the default without --registries",
    )
    .option("--undo", "Remove the configuration, and restore what was there before")
    .option("--dry-run", "Print what would change, as a diff, without changing it")
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley node setup containerd --mirror http://127.0.0.1:5000",
          "Use the mirror for every registry without a directory of its own",
        ],
        ["pulley node setup containerd --undo", "Restore the configuration that was there before"],
      ),
    )
    .action(io.withStatus((_runtime: string, options: SetupOptions) => setUp(options, io)));
}

async function setUp(options: SetupOptions, io: Io): Promise<number> {
  const config = readContainerdConfig(options.containerdConfig);
  const root = options.configPath ?? config.roots[0] ?? usualPath;
  const named = registriesOf(options);
  const registries = named.length > 0 ? named : [defaultFolder];
  const changes = options.undo
    ? planUndo(root, named)
    : planSetup({ root, registries, mirror: mirrorOf(options), only: options.onlyMirror === true });
  if (options.dryRun === undefined) for (const change of changes) carryOut(change);
  const problems = options.undo ? [] : problemsOf(config, root);
  const notes = options.undo
    ? []
    : hidingFolders(root, registries).map((folder) => `${folder} hides ${defaultFolder}: its registry is not set up`);
  const value = {
    apiVersion: "pulley.dev/v1alpha1",
    changes: changes.map(({ path, kind, because }) => ({ path, kind, ...(because !== undefined && { because }) })),
    problems,
    notes,
  };
  if (options.output === "text") printNotes({ problems, notes }, io);
  const lines = () => (options.dryRun ? changes.flatMap(diff) : changes.map(sentence));
  await print(options.output, value, () => (changes.length === 0 ? ["nothing was set up"] : lines()), io);
  return problems.length > 0 ? 1 : 0;
}

function registriesOf({ registries, all }: SetupOptions): readonly string[] {
  const names = (registries ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of names) {
    if (registryOf(name) === name) continue;
    throw new PulleyError("USAGE", `${name} is not the name of a registry`, {
      advice: "Write the host of the images' names, with its port if there is one: docker.io,registry.acme.io:5000.",
    });
  }
  return all ? [...names, defaultFolder] : names;
}

function mirrorOf({ mirror }: SetupOptions): string {
  if (mirror === undefined)
    throw new PulleyError("USAGE", "the address of the mirror is missing: add --mirror http://127.0.0.1:PORT");
  const text = /^https?:\/\//.test(mirror) ? mirror : `http://${mirror}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new PulleyError("USAGE", `${mirror} is not the address of a mirror`, {
      advice: "Write it as http://127.0.0.1:PORT, as pulley node --mirror has it.",
    });
  }
  if (url.protocol === "http:" && !isLoopback(url.host)) {
    throw new PulleyError(
      "USAGE",
      `${url.host} is not on this machine: over plain HTTP, anybody on the way could change what a tag stands for`,
      {
        advice: "Give a mirror on 127.0.0.1, or one that is reached by https.",
      },
    );
  }
  return url.origin;
}

function problemsOf(config: ReturnType<typeof readContainerdConfig>, root: string): readonly string[] {
  const { file, roots, version, exists, hasOldMirrors } = config;
  const lines = configPathLines(version, root).join(" ");
  const restart = "then restart containerd";
  const found: string[] = [];
  if (!exists)
    found.push(`there is no ${file}: unless containerd is told of another, write into it: ${lines}; ${restart}`);
  else if (roots.length === 0)
    found.push(`${file} has no config_path, so containerd reads no hosts.toml: add ${lines}; ${restart}`);
  else if (!roots.includes(root.replace(/(?<=.)\/+$/, ""))) {
    found.push(
      `containerd looks into ${roots.join(":")}, not into ${root}: leave --config-path out, or set config_path in ${file}; ${restart}`,
    );
  }
  if (hasOldMirrors) {
    found.push(
      `${file} has registry.mirrors or registry.configs, beside which containerd does not take config_path: move them into hosts.toml files`,
    );
  }
  return found;
}

function printNotes({ problems, notes }: { problems: readonly string[]; notes: readonly string[] }, io: Io) {
  const paint = paintFor(io.stderr, io);
  const lines = [
    ...notes.map((note) => `${paint("yellow", "warning:")} ${printable(note)}`),
    ...problems.map((problem) => `${paint("red", "error:")} ${printable(problem)}`),
  ];
  printLines("stderr", lines, io);
}

function sentence({ path, kind, because }: SetupChange): string {
  const shown = printable(path);
  switch (kind) {
    case "write":
      return `${shown}: written`;
    case "rewrite":
      return `${shown}: written anew`;
    case "keep-and-write":
      return `${shown}: written; what was there is kept beside it`;
    case "unchanged":
      return `${shown}: is as it should be`;
    case "restore":
      return `${shown}: is what it was before`;
    case "remove":
      return `${shown}: removed`;
    case "leave":
      return `${shown}: left, for ${printable(because ?? "")}`;
  }
}

function diff({ path, before = "", after = "" }: SetupChange): readonly string[] {
  const text = unifiedDiff(path, before, [{ file: path, start: 0, end: before.length, text: after }]);
  return text === "" ? [] : text.trimEnd().split("\n");
}
