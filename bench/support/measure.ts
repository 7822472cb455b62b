/** Running a program and noting what it took. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "../../test/programs.ts";

export interface Measurement {
  /** Seconds from start to end. */
  readonly wall: number;
  /** Seconds of processor time, of all threads and children together; `undefined` without GNU time. */
  readonly processor: number | undefined;
  /** Peak of resident memory, in MiB; `undefined` without GNU time. */
  readonly memory: number | undefined;
}

export interface Contestant {
  readonly name: string;
  /** The command to measure: a program and its arguments. */
  command(run: number): readonly string[];
  /** Before and after each run, and not measured: an empty place to start from; whether the work was really done. */
  prepare?(run: number): Promise<void>;
  check?(run: number): Promise<void>;
  /** The exit status that says that the work was done; 0 where absent. */
  readonly status?: number;
}

/**
 * Measures contestants in turn, so that a machine that gets slower or faster does so for all of them. The first run
 * of each warms the caches and is not counted.
 */
export async function interleaved(
  contestants: readonly Contestant[],
  runs: number,
): Promise<Map<string, Measurement[]>> {
  const results = new Map(contestants.map(({ name }): [string, Measurement[]] => [name, []]));
  for (let run = 0; run <= runs; run += 1) {
    const order = run % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) {
      await contestant.prepare?.(run);
      const measurement = await measure(contestant.command(run), contestant.status);
      await contestant.check?.(run);
      if (run > 0) results.get(contestant.name)?.push(measurement);
    }
    process.stderr.write(`\rrun ${run} of ${runs}`);
  }
  process.stderr.write("\r\u001b[K");
  return results;
}

/** Runs a command to its end. @throws Error with what it said if it ends with another status */
export async function measure(command: readonly string[], expected = 0): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-bench-"));
  const report = join(folder, "report");
  const time = tool("time");
  const [program = "", ...args] = time === undefined ? command : [time, "-f", "%U %S %M", "-o", report, ...command];
  try {
    const started = performance.now();
    await finished(program, args, expected);
    const wall = (performance.now() - started) / 1000;
    if (time === undefined) return { wall, processor: undefined, memory: undefined };
    const [user = 0, system = 0, kilobytes = 0] =
      (await readFile(report, "utf8")).trimEnd().split("\n").at(-1)?.split(" ").map(Number) ?? [];
    return { wall, processor: user + system, memory: kilobytes / 1024 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function finished(program: string, args: readonly string[], expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4096);
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === expected) resolve();
      else reject(new Error(`${[program, ...args].join(" ")} ended with status ${status}:\n${said}`));
    });
  });
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error("nothing was measured");
  return (low + high) / 2;
}
