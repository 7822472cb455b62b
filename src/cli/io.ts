import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { PulleyError } from "../support/errors.ts";
import { type Paint, painter, wantsColour } from "../support/terminal.ts";

/** The streams and the environment of the process that a command runs in. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The stream for errors, if it is not `stderr`: with `--quiet`, only errors are printed. */
  readonly errors?: OutputStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether files and registries are removed after the command, so that it suggests no next command. */
  readonly leavesNothing?: true;
}

/** What the called command has besides: the signals and the exit status of the process. */
export interface CommandIo extends Io {
  /** Wraps an action to keep its exit status, which commander drops. */
  withStatus<Arguments extends unknown[]>(
    action: (...args: Arguments) => number | Promise<number>,
  ): (...args: Arguments) => Promise<void>;
  /** A signal that Ctrl-C and SIGTERM abort while the command runs; a second Ctrl-C or SIGTERM exits at once. */
  interruption(): AbortSignal;
}

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** The module of a command: it defines arguments, options and action. */
export interface CommandModule {
  define(command: Command, io: CommandIo): void;
}

export function paintFor(stream: OutputStream, { environment }: Io): Paint {
  return painter(wantsColour(stream, environment));
}

/** Columns of a terminal; `elsewhere`, without one: no limit by default. */
export function columnsOf({ isTTY, columns }: OutputStream, elsewhere = Number.POSITIVE_INFINITY): number {
  return isTTY ? (columns ?? 80) : elsewhere;
}

/** How standard output is written on: with colour or without, and how many columns there are. */
export function viewOf(io: Io, elsewhere = 80): { readonly paint: Paint; readonly width: number } {
  return { paint: paintFor(io.stdout, io), width: columnsOf(io.stdout, elsewhere) };
}

/** One run of a command. */
export interface CommandCall {
  readonly io: CommandIo;
  /** The exit status of the action; 0 until it has returned. */
  status(): number;
  /** Removes the signal listeners of the command. */
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

/** Resolves when the signal is aborted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
