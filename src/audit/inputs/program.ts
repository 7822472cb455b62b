/** Programs that render manifests. */
import { execFile } from "node:child_process";
import { isAbsolute } from "node:path";
import { longestInput } from "../../support/input-file.ts";
import type { UnreadableInput } from "../input.ts";

export interface ProgramOptions {
  /** The environment of the program; the program is searched in its `PATH`. */
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds until it is killed; two minutes by default, because charts can be large and bases remote. */
  readonly timeout?: number | undefined;
}

export type ProgramOutput =
  | { readonly kind: "output"; readonly bytes: Buffer }
  | { readonly kind: "missing" }
  /** `problem`: half a sentence on why there is no output, `ended with 1: …`. */
  | { readonly kind: "failed"; readonly problem: string };

const longestStderr = 400;

/** Runs a program, without a shell and without input, and collects what it prints. Never throws. */
export function outputOf(program: string, words: readonly string[], options: ProgramOptions): Promise<ProgramOutput> {
  const { environment: env, timeout = 120_000 } = options;
  const limits = { maxBuffer: longestInput, timeout, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    const child = execFile(
      program,
      words,
      { env, encoding: "buffer", windowsHide: true, ...limits },
      (error, bytes, stderr) => {
        if (error === null) resolve({ kind: "output", bytes });
        else if (error.code === "ENOENT") resolve({ kind: "missing" });
        else resolve({ kind: "failed", problem: problemOf(error, stderr, timeout) });
      },
    );
    // A program may end without reading its input.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end();
  });
}

/** A folder as an argument that is neither an option nor a URL, whatever its name. */
export function asPath(folder: string): string {
  return isAbsolute(folder) || /^\.\.?[/\\]/.test(folder) ? folder : `./${folder}`;
}

function problemOf(error: Error & { code?: unknown; killed?: unknown }, stderr: Buffer, timeout: number): string {
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `printed more than ${longestInput / 1024 / 1024} MiB`;
  if (error.killed === true) return `did not end within ${timeout / 1000} seconds`;
  const said = printable(stderr.toString()).slice(0, longestStderr);
  const status =
    typeof error.code === "number" ? `ended with ${error.code}` : `did not run to its end (${String(error.code)})`;
  return said === "" ? status : `${status}: ${said}`;
}

/** On one line, without control characters. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
}

/** The input that says which program could not render a chart or kustomization, and why. */
export function renderFailure(
  file: string,
  what: "chart" | "kustomization",
  programs: readonly string[],
  output: Exclude<ProgramOutput, { kind: "output" }>,
  byHand: string,
): UnreadableInput {
  const names = programs.join(" or ");
  if (output.kind === "missing") {
    return {
      kind: "unreadable",
      file,
      rule: "render-failed",
      isProgramMissing: true,
      message: `this is a ${what}, and there is no ${names} in PATH to render it`,
      advice: `Install ${names}, or render it where there is one: ${byHand}.`,
    };
  }
  return {
    kind: "unreadable",
    file,
    rule: "render-failed",
    message: `${programs.at(-1) ?? what} could not render the ${what}: it ${output.problem}`,
    advice: `Run it by hand to see its output: ${byHand}.`,
  };
}
