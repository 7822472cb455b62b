import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { PulleyError } from "../support/errors.ts";
import { type Paint, painter, wantsColour } from "../support/terminal.ts";

/** What a command may touch of the process it runs in. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Where errors go, where that is not the same: with `--quiet`, nothing else is said on standard error. */
  readonly errors?: OutputStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether files and registries are gone when the command has ended: it tells of no next command then. */
  readonly leavesNothing?: true;
}

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** A command's file: it says which arguments and options it takes, and what it does with them. */
export interface CommandModule {
  define(command: Command, surroundings: Surroundings): void;
}

export function paintFor(stream: OutputStream, { environment }: Surroundings): Paint {
  return painter(wantsColour(stream, environment));
}

/** A signal that Ctrl-C and SIGTERM abort; a second Ctrl-C ends the process at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new PulleyError("CANCELLED", "interrupted"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/** Resolves when the signal is aborted; never, if that does not happen. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
