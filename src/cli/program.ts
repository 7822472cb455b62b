import { Command, CommanderError } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { errorTable, errorText, isPulleyError } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import { commands, groups } from "./commands.ts";
import { addGlobalOptions, withGlobalOptions } from "./global-options.ts";
import { groupOptions, helpStyle } from "./help.ts";
import { type CommandIo, type Io, paintFor, startCall } from "./io.ts";
import { printLines, printText, warnOn } from "./printing.ts";

/** Runs a command line and returns its exit status. Never throws. */
export async function runCommandLine(words: readonly string[], given: Io): Promise<number> {
  const call = startCall(given);
  const globals = withGlobalOptions(call.io);
  const { io } = globals;
  try {
    const called = words.find((word) => commands.some(({ name }) => name === word));
    // Completion needs the options of all commands.
    const program = await createProgram(io, (name) => name === called || called === "completion");
    program.hook("preAction", (_program, command) => {
      globals.apply(command);
      cleanImages(command, warnOn(io));
    });
    await program.parseAsync([...words], { from: "user" });
    return call.status();
  } catch (error) {
    return reportFailure(error, io);
  } finally {
    globals.end();
    call.end();
  }
}

const helpCommand = ["help [command]", "Print help for a command"] as const;

/** The program. Commands that are not wanted are not loaded, and have only their names. */
export async function createProgram(io: CommandIo, isWanted: (command: string) => boolean): Promise<Command> {
  const program = new Command("pulley")
    .description("Image pull policy for Kubernetes: which images are pulled, when, from where, and why.")
    .version(packageFile.version, "--version", "Print the version")
    .helpOption("-h, --help", "Print help")
    // Options behind the name of a command belong to it: pulley node and its setup both have --mirror.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => printText("stdout", text, io),
      writeErr: (text) => printText("stderr", text, io),
      outputError: (text) => printLines("stderr", usageLines(text), io),
    })
    .configureHelp(helpStyle)
    .showHelpAfterError("(add --help to see how the command is called)")
    .exitOverride();
  for (const { name, summary, group, load } of commands) {
    const command = program.command(name).description(`${summary}.`).summary(summary).helpGroup(group);
    command.exitOverride().copyInheritedSettings(program);
    if (isWanted(name)) (await load()).define(command, io);
    if (command.commands.length > 0) command.helpCommand(...helpCommand);
  }
  program.commandsGroup(groups.other).helpCommand(...helpCommand);
  addGlobalOptions(program);
  groupOptions(program);
  return program;
}

/** Prints an error with its advice, and returns its exit status. */
export function reportFailure(error: unknown, io: Io): number {
  const { environment } = io;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorTable.USAGE.exit;
  const paint = paintFor(io.errors ?? io.stderr, io);
  if (!isPulleyError(error)) {
    const lines = [`${paint("red", "error:")} ${printable(errorText(error))}`, `  ${errorTable.INTERNAL.advice}`];
    printLines("errors", lines, io);
    if (environment["PULLEY_DEBUG"]) printLines("errors", placesOf(error), io);
    return errorTable.INTERNAL.exit;
  }
  const lines = [`${paint("red", "error:")} ${printable(error.message)}`, `  ${paint("dim", printable(error.advice))}`];
  printLines("errors", lines, io);
  if (environment["PULLEY_DEBUG"]) printLines("errors", [error.code, ...placesOf(error)], io);
  return error.exitStatus;
}

/** The stack trace without the message, which may have several lines. */
function placesOf(error: unknown): readonly string[] {
  return error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line)) : [];
}

/** A usage error is one line; only a suggestion of commander is another. */
function usageLines(text: string): readonly string[] {
  const [, wrong = text, proposal] = /^(.*?)(?:\n(\(Did you mean [^\n]*\)))?\n?$/s.exec(text) ?? [];
  return proposal === undefined ? [wrong] : [wrong, proposal];
}

const prefix = /^(https?|docker|oci):\/\/(.*)$/is;
const hubPage = /^hub\.docker\.com\/(?:_|r\/([^/]+))\/([^/?#]+).*$/i;

/** The name without its prefix, and a hint; `undefined` if there is no prefix. */
export function withoutPrefix(word: string): { readonly image: string; readonly hint: string } | undefined {
  const [, scheme = "", rest = ""] = prefix.exec(word) ?? [];
  // A URL of a manifest is no image.
  if (rest === "" || /\.(ya?ml|json|txt)$/i.test(rest)) return undefined;
  const page = hubPage.exec(rest);
  const image = page === null ? rest.replace(/\/+$/, "") : `docker.io/${page[1] ?? "library"}/${page[2]}`;
  const plain = scheme.toLowerCase() === "http" ? "; use --plain-http for a registry without TLS" : "";
  const what = page === null ? `an image name has no ${scheme}:// prefix` : "this is the address of a web page";
  return { image, hint: `${what}: ${image} is used${plain}` };
}

/** Removes prefixes from the images among the arguments of a command, with a hint for each. */
function cleanImages(command: Command, hint: (message: string) => void): void {
  const clean = (word: unknown): unknown => {
    if (Array.isArray(word)) return word.map(clean);
    const cleaned = typeof word === "string" ? withoutPrefix(word) : undefined;
    if (cleaned === undefined) return word;
    hint(cleaned.hint);
    return cleaned.image;
  };
  command.processedArgs = command.processedArgs.map((word, at) =>
    /image|name/.test(command.registeredArguments[at]?.name() ?? "") ? clean(word) : word,
  );
}
