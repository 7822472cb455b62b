/** Pulls in processes of their own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

export interface Puller {
  /** Exit status, or the signal that ended it, with what it printed on standard error. */
  readonly ended: Promise<{ readonly status: number | string; readonly stderr: string }>;
  /** Whether it has ended. */
  readonly over: boolean;
  kill(): void;
}

/** The program `puller.ts` as one file in a folder. */
export async function buildPuller(folder: string): Promise<string> {
  const file = join(folder, "puller.mjs");
  const input = fileURLToPath(new URL("puller.ts", import.meta.url));
  await build({ input, platform: "node", logLevel: "silent", output: { file, format: "esm", codeSplitting: false } });
  return file;
}

export function startPuller(program: string, socket: string, root: string, image: string): Puller {
  const child = spawn(process.execPath, [program, socket, root, image], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([status, signal]: (number | string | null)[]) => ({
    status: status ?? signal ?? "unknown",
    stderr,
  }));
  return {
    ended,
    get over() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    kill: () => child.kill("SIGKILL"),
  };
}
