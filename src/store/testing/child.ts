/** Other processes that use a store at the same time, for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

export interface Churn {
  readonly process: ChildProcess;
  /** Ends when the process prints this line, or ends without. */
  printed(line: string): Promise<void>;
  /** Exit status, or the signal that ended it. Rejects with what it printed on standard error if it fails. */
  readonly ended: Promise<number | string>;
}

/** The program `churn.ts` as one file in a folder. */
export async function buildChurn(folder: string): Promise<string> {
  const file = join(folder, "churn.mjs");
  const input = fileURLToPath(new URL("churn.ts", import.meta.url));
  await build({ input, platform: "node", logLevel: "silent", output: { file, format: "esm" } });
  return file;
}

export function startChurn(program: string, root: string, seed: number, rounds: number): Churn {
  const child = spawn(process.execPath, [program, root, String(seed), String(rounds)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const lines = createInterface(child.stdout);
  const seen = new Set<string>();
  lines.on("line", (line) => seen.add(line));
  const ended = once(child, "close").then(([status, signal]: (number | string | null)[]) => {
    if (status !== null && status !== 0) throw new Error(`the process failed: ${complaint}`);
    return status ?? signal ?? "unknown";
  });
  return {
    process: child,
    ended,
    printed: async (line) => {
      const stop = new AbortController();
      void ended.catch(() => undefined).then(() => stop.abort());
      while (!seen.has(line) && !stop.signal.aborted) {
        await once(lines, "line", { signal: stop.signal }).catch(() => undefined);
      }
    },
  };
}
