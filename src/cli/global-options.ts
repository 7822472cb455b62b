/** The options of every command: verbosity and color. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { errorMonitor } from "node:events";
import { ClientRequest, IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { type Command, Option } from "commander";
import { errorText } from "../support/errors.ts";
import { printable, wantsColour } from "../support/terminal.ts";
import type { CommandIo, OutputStream } from "./io.ts";
import { printLine } from "./printing.ts";

export const globalGroup = "Global options:";

interface GlobalOptions {
  readonly verbose?: true;
  readonly quiet?: true;
  readonly color?: "auto" | "always" | "never";
}

const options = (): readonly Option[] => [
  new Option("-v, --verbose", "Also print each request to a registry, and stack traces of errors"),
  new Option("--quiet", "Print only errors to standard error"),
  new Option("--color <when>", "When to use colors; auto: on a terminal, unless NO_COLOR is set").choices([
    "auto",
    "always",
    "never",
  ]),
];

/** Adds the options to a command and its subcommands, except where the command has one of the same name. */
export function addGlobalOptions(command: Command): void {
  for (const option of options()) {
    const isTaken = command.options.some(
      ({ long, short }) => long === option.long || (short && short === option.short),
    );
    if (!isTaken) command.addOption(option.helpGroup(globalGroup));
  }
  for (const below of command.commands) addGlobalOptions(below);
}

export interface GlobalOptionsIo {
  readonly io: CommandIo;
  /** Applies the options of the called command, before its action. */
  apply(command: Command): void;
  end(): void;
}

/** An Io that follows the options as soon as they are applied. */
export function withGlobalOptions(given: CommandIo): GlobalOptionsIo {
  let { stderr, environment } = given;
  let stopWatching: (() => void) | undefined;
  const io: CommandIo = {
    ...given,
    get stderr() {
      return stderr;
    },
    get environment() {
      return environment;
    },
    errors: given.stderr,
  };
  return {
    io,
    apply(command) {
      const { verbose, quiet, color }: GlobalOptions = { ...command.parent?.opts(), ...command.opts() };
      if (color === "always") environment = { ...environment, FORCE_COLOR: "1" };
      if (color === "never") environment = { ...environment, FORCE_COLOR: "0" };
      // `images -q` is docker's: it selects IDs, and does not silence messages.
      if (quiet && command.name() !== "images") stderr = silence();
      if (!verbose) return;
      const isColoured = color !== "never" && wantsColour(given.stderr, environment);
      environment = { ...environment, PULLEY_DEBUG: "1", ...(isColoured && { FORCE_COLOR: "1" }) };
      // Progress is not redrawn, for requests are printed in between.
      if (!quiet) stderr = plain(given.stderr);
      stopWatching = watchRequests((line) => printLine("errors", printable(line), io));
    },
    end() {
      stopWatching?.();
    },
  };
}

/** Node's diagnostics channels for HTTP requests and responses. */
const [sent, answered] = ["http.client.request.start", "http.client.response.finish"];

/** Prints a line for each request that is answered or fails. */
function watchRequests(print: (line: string) => void): () => void {
  const onSent = (message: unknown) => {
    const request = requestOf(message);
    request?.once(errorMonitor, (error: Error) => print(`${requestText(request)} failed: ${codeOf(error)}`));
  };
  const onAnswered = (message: unknown) => {
    const request = requestOf(message);
    if (request !== undefined) print(`${requestText(request)} ${statusOf(message)}`);
  };
  subscribe(sent, onSent);
  subscribe(answered, onAnswered);
  return () => {
    unsubscribe(sent, onSent);
    unsubscribe(answered, onAnswered);
  };
}

function requestOf(message: unknown): ClientRequest | undefined {
  if (typeof message !== "object" || message === null || !("request" in message)) return undefined;
  return message.request instanceof ClientRequest ? message.request : undefined;
}

function statusOf(message: unknown): string {
  if (typeof message !== "object" || message === null || !("response" in message)) return "";
  return message.response instanceof IncomingMessage ? String(message.response.statusCode) : "";
}

/** Without query and headers, which may contain logins. */
function requestText(request: ClientRequest): string {
  const [path = ""] = request.path.split("?", 1);
  return `${request.method} ${request.protocol}//${String(request.getHeader("host") ?? request.host)}${path}`;
}

/** `ECONNREFUSED`; the details are in the error at the end of the command. */
function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : errorText(error);
}

function silence(): OutputStream {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function plain(stream: OutputStream): OutputStream {
  return new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      stream.write(chunk);
      done();
    },
  });
}
