import type { Command } from "commander";
import { entriesFor, openLoginFile, parseServer, removeLogin, serverOf } from "../credentials/index.ts";
import type { CommandIo, Io } from "./io.ts";
import { helperDeps, loginFile } from "./login.ts";
import { authfileOption, examples } from "./options.ts";
import { printLine, warnOn } from "./printing.ts";

interface LogoutOptions {
  readonly authfile?: string;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("[server]", "Registry, as HOST or HOST:PORT (default: Docker Hub)")
    .addOption(authfileOption())
    .addHelpText(
      "after",
      examples(
        ["pulley logout registry.acme.io", "Remove a login of pulley login or docker login"],
        ["pulley logout", "Remove the login for Docker Hub"],
      ),
    )
    .action(io.withStatus((server: string | undefined, options: LogoutOptions) => logOut(server, options, io)));
}

async function logOut(words: string | undefined, options: LogoutOptions, io: Io): Promise<number> {
  const named = parseServer(words ?? "docker.io");
  const { registry, path } = named;
  const file = await openLoginFile(loginFile(options, io));
  const removed = await removeLogin(file, named, helperDeps(io));
  const server = path === "" ? serverOf(registry) : `${registry}/${path}`;
  const sentence = removed ? `Removing login credentials for ${server}` : `Not logged in to ${server}`;
  printLine("stdout", sentence, io);
  if (path !== "" && entriesFor(file.config, { registry, path: "" }).length > 0) {
    warnOn(io)(`the login for all of ${registry} is kept: remove it with pulley logout ${registry}`);
  }
  return 0;
}
