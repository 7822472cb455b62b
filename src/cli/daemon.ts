/** Options and error handling of the commands that ask the node daemon. */
import { type Command, Option } from "commander";
import { createNodeClient, defaultSocket, type NodeClient } from "../daemon/index.ts";
import { isPulleyError } from "../support/errors.ts";
import { printable } from "../support/terminal.ts";
import type { CommandIo, Io } from "./io.ts";
import { printLine } from "./printing.ts";

export interface SocketOptions {
  readonly socket?: string;
}

export interface NamespaceOptions {
  readonly namespace?: string;
}

/** The options `--socket` and `--namespace`. */
export function daemonOptions(command: Command): Command {
  return command
    .addOption(new Option("-n, --namespace <name>", "Namespace (default: default)"))
    .addOption(socketOption());
}

export function socketOption(): Option {
  const usual = "/run/pulley/node.sock for root, else pulley/node.sock in $XDG_RUNTIME_DIR";
  return new Option("--socket <path>", `Socket of the node daemon (default: ${usual})`).env("PULLEY_SOCKET");
}

export function socketPath({ socket }: SocketOptions, { environment }: Io): string {
  return socket ?? defaultSocket(environment, process.getuid?.());
}

/**
 * Calls the daemon. An error of the daemon is printed as kubectl prints one of the API server, with exit status 1. Ctrl-C
 * ends a watch, and is no failure.
 */
export async function withDaemon(
  options: SocketOptions,
  io: CommandIo,
  use: (client: NodeClient) => Promise<void>,
): Promise<number> {
  const signal = io.interruption();
  try {
    await use(createNodeClient(socketPath(options, io), signal));
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    if (!isPulleyError(error, "NOT_ON_NODE", "DAEMON_REFUSED")) throw error;
    const reason = error.code === "NOT_ON_NODE" ? "NotFound" : "BadRequest";
    printLine("stderr", `Error from server (${reason}): ${printable(error.message)}`, io);
    return error.exitStatus;
  }
}
