// Running other programs from a script: quietly, and with everything they said where they fail.
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What a program said and the status that it ended with. `output` is what it wrote to standard output and standard
 * error, in the order in which it came; `stdout` is standard output alone.
 */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], ...options });
    let output = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status: status ?? `signal ${signal}`, output, stdout }));
  });
}

/** Runs a program on this terminal and answers with its exit status. */
export function runHere(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", ...options });
    // The terminal sends Ctrl-C to both of us; it is the program that answers it.
    const leaveToChild = () => {};
    process.on("SIGINT", leaveToChild);
    const passOn = () => child.kill("SIGTERM");
    process.on("SIGTERM", passOn);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      process.off("SIGINT", leaveToChild);
      process.off("SIGTERM", passOn);
      resolve(status ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}

/** The npm that runs this script, or the one in the PATH: as a program and the arguments that come before any other. */
export function npm() {
  const script = process.env.npm_execpath;
  if (script !== undefined && basename(script) === "npm-cli.js") return [process.execPath, [script]];
  return [process.platform === "win32" ? "npm.cmd" : "npm", []];
}
