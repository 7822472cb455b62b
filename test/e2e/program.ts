/** The program as it ships, run as a user runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** The built program; `npm test` builds it first. */
export const program = join(import.meta.dirname, "..", "..", "dist", "pulley.mjs");

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote to standard output and standard error. */
  readonly output: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts the program without any of this machine's logins and settings. */
export function startPulley(args: readonly string[], home: string): Running {
  const env = { PATH: process.env["PATH"], HOME: home, NO_COLOR: "1" };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const hear = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject).on("close", (status, signal) => resolve({ status, signal, output }));
  });
  return { child, ended };
}
