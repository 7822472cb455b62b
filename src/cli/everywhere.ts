/** The options that every command has: how much it says, and in which colours. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ClientRequest, IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { type Command, Option } from "commander";
import { printable, wantsColour } from "../support/terminal.ts";
import { printLine } from "./printing.ts";
import type { OutputStream, Surroundings } from "./surroundings.ts";

export const everywhereGroup = "Everywhere:";

interface Tone {
  readonly verbose?: true;
  readonly quiet?: true;
  readonly color?: "auto" | "always" | "never";
}

const options = (): readonly Option[] => [
  new Option("-v, --verbose", "also say each request to a registry, and where in the program an error arose"),
  new Option("--quiet", "say nothing but errors on standard error"),
  new Option("--color <when>", "colour the text; auto: on a terminal, unless NO_COLOR is set").choices([
    "auto",
    "always",
    "never",
  ]),
];

/** Gives a command and those below it the options, except where one of its own has the same name. */
export function addEverywhere(command: Command): void {
  for (const option of options()) {
    const isTaken = command.options.some(
      ({ long, short }) => long === option.long || (short && short === option.short),
    );
    if (!isTaken) command.addOption(option.helpGroup(everywhereGroup));
  }
  for (const below of command.commands) addEverywhere(below);
}

export interface TunedSurroundings {
  readonly surroundings: Surroundings;
  /** Takes the options of the command that is called, before it acts. */
  tune(command: Command): void;
  end(): void;
}

/** Surroundings that are what the options make of them from the moment on in which the options are known. */
export function tunable(given: Surroundings): TunedSurroundings {
  let { stderr, environment } = given;
  let watched: ((message: unknown) => void) | undefined;
  const surroundings: Surroundings = {
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
    surroundings,
    tune(command) {
      const { verbose, quiet, color }: Tone = { ...command.parent?.opts(), ...command.opts() };
      if (color === "always") environment = { ...environment, FORCE_COLOR: "1" };
      if (color === "never") environment = { ...environment, FORCE_COLOR: "0" };
      // images -q is docker's: it is about ids, and not about what is said beside them.
      if (quiet && command.name() !== "images") stderr = silence();
      if (!verbose) return;
      const isColoured = color !== "never" && wantsColour(given.stderr, environment);
      environment = { ...environment, PULLEY_DEBUG: "1", ...(isColoured && { FORCE_COLOR: "1" }) };
      // Nothing is drawn over and over where lines come in between.
      if (!quiet) stderr = plain(given.stderr);
      watched = (message) => {
        const line = requestLine(message);
        if (line !== undefined) printLine("errors", line, surroundings);
      };
      subscribe(answered, watched);
    },
    end() {
      if (watched !== undefined) unsubscribe(answered, watched);
    },
  };
}

/** Node's own channel for answers to HTTP requests. */
const answered = "http.client.response.finish";

/** A request without its query and its headers, in which there may be logins. */
function requestLine(message: unknown): string | undefined {
  if (typeof message !== "object" || message === null || !("request" in message && "response" in message)) return;
  const { request, response } = message;
  if (!(request instanceof ClientRequest && response instanceof IncomingMessage)) return undefined;
  const [path = ""] = request.path.split("?", 1);
  const host = String(request.getHeader("host") ?? request.host);
  return printable(`${request.method} ${request.protocol}//${host}${path} ${response.statusCode ?? ""}`);
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
