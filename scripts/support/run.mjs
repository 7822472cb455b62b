// Running other programs from a script: quietly, and with everything they said where they fail.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What a program said and the status that it ended with. `output` is what it wrote to standard output and standard
 * error, in the order in which it came; `stdout` is standard output alone. `hear` is called with
 * each piece of it as it comes; the other options are those of `spawn`.
 *
 * @typedef {import("node:child_process").SpawnOptionsWithoutStdio & { hear?: (text: string) => void }} CaptureOptions
 * @typedef {{ status: number | string, output: string, stdout: string }} Captured
 * @type {(program: string, args: string[], options?: CaptureOptions) => Promise<Captured>}
 */
export function capture(program, args, { hear = () => {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      stdout += text;
      hear(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output += text;
      hear(text);
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status: status ?? `signal ${signal}`, output, stdout }));
  });
}

/** Runs a program on this terminal and answers with its exit status. @type {(program: string, args: string[]) => Promise<number>} */
export function runHere(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit" });
    const passOn = () => child.kill("SIGTERM");
    process.on("SIGINT", leaveToChild);
    process.on("SIGTERM", passOn);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      process.off("SIGINT", leaveToChild);
      process.off("SIGTERM", passOn);
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Runs npm quietly: the one that runs this script, or else the one in the PATH. @type {(args: string[], options?: CaptureOptions) => Promise<Captured>} */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script !== undefined && basename(script) === "npm-cli.js") {
    return capture(process.execPath, [script, ...args], options);
  }
  return capture("npm", args, { ...options, shell: process.platform === "win32" });
}

/** The terminal sends Ctrl-C to a script and its child alike; it is the child that answers. */
function leaveToChild() {}
