import { Command, CommanderError } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { errorTable, errorText, isPulleyError } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import { printLines, printText } from "./printing.ts";
import { type CommandModule, paintFor, type Surroundings } from "./surroundings.ts";

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Only the command that is called is loaded, so that `pulley --version` does not pay for a registry client. */
  load(): Promise<CommandModule>;
}

const commands: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "take pods through image pulling as a kubelet would, and show why",
    load: () => import("./run.ts"),
  },
  { name: "pull", summary: "pull images into the store", load: () => import("./pull.ts") },
  {
    name: "explain",
    summary: "say what a kubelet would do about each image, and why",
    load: () => import("./explain.ts"),
  },
  {
    name: "audit",
    summary: "find what is wrong with images and pull policies in manifests, and fix it",
    load: () => import("./audit.ts"),
  },
  { name: "policy", summary: "check policy files, or begin one", load: () => import("./policy.ts") },
  {
    name: "hosts",
    summary: "check the hosts.toml files of containerd, or make them of a registries.conf",
    load: () => import("./hosts.ts"),
  },
  {
    name: "simulate",
    summary: "see what another policy would change, in decisions, pulls, bytes and refusals",
    load: () => import("./simulate.ts"),
  },
  {
    name: "doctor",
    summary: "find out why a pull fails: name, network, login, image, rules or disk",
    load: () => import("./doctor.ts"),
  },
  { name: "images", summary: "list the images in the store", load: () => import("./images.ts") },
  { name: "inspect", summary: "show all that is known of an image", load: () => import("./inspect.ts") },
  { name: "tag", summary: "give an image another name", load: () => import("./tag.ts") },
  { name: "rm", summary: "remove names, and images that have none left", load: () => import("./rm.ts") },
  {
    name: "gc",
    summary: "delete unused images as a kubelet does, and say of each why or why not",
    load: () => import("./gc.ts"),
  },
  { name: "load", summary: "bring in images from an archive", load: () => import("./load.ts") },
  { name: "save", summary: "write images into an archive", load: () => import("./save.ts") },
  {
    name: "verify",
    summary: "read every blob of the store again, and set aside what is damaged",
    load: () => import("./verify.ts"),
  },
  {
    name: "node",
    summary: "serve a node's images to its kubelet, run pods, mirror registries, and tell of all that",
    load: () => import("./node.ts"),
  },
  { name: "get", summary: "list the pods, events or images of a node's daemon", load: () => import("./get.ts") },
  {
    name: "describe",
    summary: "show all that a node's daemon knows of a pod, and what it decided about its images",
    load: () => import("./describe.ts"),
  },
  { name: "logs", summary: "print what a pod's container has written", load: () => import("./logs.ts") },
];

/** Runs one command line and answers with its exit status. Never throws. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout } = surroundings;
  // A reader that has seen enough (`pulley images | head`) is no failure.
  stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 3));
  const program = new Command("pulley")
    .description("Image pull policy for Kubernetes: which images, when, from where, how fresh, and why.")
    .version(packageFile.version, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    // What stands behind a command's name is that command's: pulley node and its setup both have --mirror.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => printText("stdout", text, surroundings),
      writeErr: (text) => printText("stderr", text, surroundings),
      outputError: (text) => printLines("stderr", usageLines(text), surroundings),
    })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError("(add --help to see how the command is called)")
    .exitOverride();
  try {
    await defineCommands(program, words, surroundings);
    await program.parseAsync([...words], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportFailure(error, surroundings);
  }
}

async function defineCommands(program: Command, words: readonly string[], surroundings: Surroundings): Promise<void> {
  const called = words.find((word) => commands.some(({ name }) => name === word));
  for (const { name, summary, load } of commands) {
    const command = program
      .command(name)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .summary(summary);
    command.exitOverride().copyInheritedSettings(program);
    if (name === called) (await load()).define(command, surroundings);
  }
}

/** Prints a failure for people, what to do about it included, and answers with the exit status that it stands for. */
export function reportFailure(error: unknown, surroundings: Surroundings): number {
  const { stderr, environment } = surroundings;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorTable.USAGE.exit;
  const paint = paintFor(stderr, surroundings);
  if (!isPulleyError(error)) {
    const lines = [`${paint("red", "error:")} ${printable(errorText(error))}`, `  ${errorTable.INTERNAL.advice}`];
    printLines("stderr", lines, surroundings);
    if (environment["PULLEY_DEBUG"]) printLines("stderr", placesOf(error), surroundings);
    return errorTable.INTERNAL.exit;
  }
  const lines = [`${paint("red", "error:")} ${printable(error.message)}`, `  ${paint("dim", printable(error.advice))}`];
  printLines("stderr", lines, surroundings);
  if (environment["PULLEY_DEBUG"]) printLines("stderr", [error.code, ...placesOf(error)], surroundings);
  return error.exitStatus;
}

/** Where an error was thrown: of its stack the places only, for its message may have several lines. */
function placesOf(error: unknown): readonly string[] {
  return error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line)) : [];
}

/** What is wrong with a command line stays one line; only what the library proposes instead has another. */
function usageLines(text: string): readonly string[] {
  const [, wrong = text, proposal] = /^(.*?)(?:\n(\(Did you mean [^\n]*\)))?\n?$/s.exec(text) ?? [];
  return proposal === undefined ? [wrong] : [wrong, proposal];
}
