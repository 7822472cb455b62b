/** Commands of Pulley: in this process, which costs least, or by the built program, run as users run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { callPulley } from "../../src/cli/testing/call.ts";
import { readAgainAfterTest } from "../bytes-on-disk.ts";

export const program = fileURLToPath(new URL("../../dist/pulley.mjs", import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunOptions extends CallOptions {
  readonly directory?: string;
  /** Is given the process as soon as it runs. */
  readonly meanwhile?: (child: ChildProcess) => void | Promise<void>;
}

/** Runs a command in this process. The surroundings are bare, so that no login of this machine gets in. */
export function pulley(args: readonly string[], { input, environment }: CallOptions = {}): Promise<Ended> {
  readStoreAgain(args);
  return callPulley(args, bare(environment), Readable.from(input === undefined ? [] : [Buffer.from(input)]));
}

/**
 * Runs the built program to its end, for what only a process of its own has: signals, a folder,
 * threads, locks, and variables that stand for options.
 */
export async function runProgram(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended & { readonly signal: NodeJS.Signals | null }> {
  if (!existsSync(program)) throw new Error("dist/pulley.mjs is missing: run npm run build");
  readStoreAgain(args);
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.directory,
    env: bare(options.environment),
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  child.stdin.end(options.input ?? "");
  const [[status, signal]] = await Promise.all([once(child, "close"), options.meanwhile?.(child)]);
  return { ...output, status: status as number | null, signal: signal as NodeJS.Signals | null };
}

function bare(environment: CallOptions["environment"]): Record<string, string> {
  const { PATH = "" } = process.env;
  return { PATH, HOME: "/nonexistent", ...environment };
}

/** Whatever a command does with a store, what is in it afterwards is right. */
export function readStoreAgain(args: readonly string[]): void {
  const root = args[args.indexOf("--root") + 1];
  if (args.includes("--root") && root) readAgainAfterTest(root);
}
