/** The built program, run as users run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAgainAfterTest } from "../bytes-on-disk.ts";

export const program = fileURLToPath(new URL("../../dist/pulley.mjs", import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Is given the process as soon as it runs. */
  readonly meanwhile?: (child: ChildProcess) => void | Promise<void>;
}

/** Runs `pulley` to its end. The surroundings are bare, so that no login of this machine gets in. */
export async function pulley(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  if (!existsSync(program)) throw new Error("dist/pulley.mjs is missing: run npm run build");
  readStoreAgain(args);
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.directory,
    env: { PATH, HOME: "/nonexistent", ...options.environment },
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

/** Whatever a command does with a store, what is in it afterwards is right. */
export function readStoreAgain(args: readonly string[]): void {
  const root = args[args.indexOf("--root") + 1];
  if (args.includes("--root") && root) readAgainAfterTest(root);
}
