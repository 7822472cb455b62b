import { Argument, type Command, type Option } from "commander";
import { type CompletedCommand, type Shell, scripts, shells } from "./completion-scripts.ts";
import type { CommandIo } from "./io.ts";
import { examples } from "./options.ts";
import { printText } from "./printing.ts";

export function define(command: Command, io: CommandIo): void {
  command
    .addArgument(new Argument("<shell>", "Shell to complete for").choices(shells))
    .addHelpText(
      "after",
      examples(
        ["source <(pulley completion bash)", "Add to ~/.bashrc (or to ~/.zshrc, with zsh instead of bash)"],
        ["pulley completion fish > ~/.config/fish/completions/pulley.fish", "Install for fish"],
      ),
    )
    .action(
      io.withStatus((shell: Shell) => {
        const program = command.parent ?? command;
        printText("stdout", scripts[shell](completed(program)), io);
        return 0;
      }),
    );
}

/** The words that complete the command line of a command. */
function completed(command: Command): CompletedCommand {
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.options.filter(({ hidden }) => !hidden).map(completedOption),
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    commands: command.commands.filter((below) => below.name() !== "help").map(completed),
  };
}

function completedOption({ long, short, description, required, argChoices }: Option) {
  const names = [long, short].filter((name) => typeof name === "string");
  return { names, summary: description, takesValue: required, values: argChoices ?? [] };
}
