import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { PulleyError } from "../support/errors.ts";
import { type Paint, painter, wantsColour } from "../support/terminal.ts";

/** What a command may touch of the process it runs in. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Where errors go, where that is not the same: with `--quiet`, nothing else is said on standard error. */
  readonly errors?: OutputStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether files and registries are gone when the command has ended: it tells of no next command then. */
  readonly leavesNothing?: true;
}

/** What the called command may touch besides: the process's signals and its exit status. */
export interface CommandIo extends Io {
  /** Keeps the exit status that an action returns: the library that calls actions drops it. */
  withStatus<Arguments extends unknown[]>(
    action: (...args: Arguments) => number | Promise<number>,
  ): (...args: Arguments) => Promise<void>;
  /** A signal that Ctrl-C and SIGTERM abort, for as long as the command lasts; a second one ends the process at once. */
  interruption(): AbortSignal;
}

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** A command's file: it says which arguments and options it takes, and what it does with them. */
export interface CommandModule {
  define(command: Command, io: CommandIo): void;
}

export function paintFor(stream: OutputStream, { environment }: Io): Paint {
  return painter(wantsColour(stream, environment));
}

/** One call of the program. */
export interface CommandCall {
  readonly io: CommandIo;
  /** The exit status that the command's action has returned; 0 until then. */
  status(): number;
  /** Removes the listeners that were added for the command. */
  end(): void;
}

export function startCall(given: Io): CommandCall {
  let status = 0;
  const ends: (() => void)[] = [];
  return {
    io: {
      ...given,
      withStatus:
        (action) =>
        async (...args) => {
          status = await action(...args);
        },
      interruption() {
        const controller = new AbortController();
        const stop = () => {
          if (controller.signal.aborted) process.exit(130);
          controller.abort(new PulleyError("CANCELLED", "interrupted"));
        };
        process.on("SIGINT", stop).on("SIGTERM", stop);
        ends.push(() => process.off("SIGINT", stop).off("SIGTERM", stop));
        return controller.signal;
      },
    },
    status: () => status,
    end() {
      for (const end of ends) end();
    },
  };
}

/** Resolves when the signal is aborted; never, if that does not happen. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
