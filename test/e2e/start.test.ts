import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { pulley } from "./pulley.ts";

const start = fileURLToPath(new URL("../../dist/examples/start.mjs", import.meta.url));

async function run(args: readonly string[], stopAt?: RegExp): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, [start, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let stopped = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (!stopped && stopAt?.test(output)) stopped = child.kill("SIGINT");
    });
  }
  const [status] = await once(child, "close");
  return { status: status as number | null, output };
}

describe("the example behind npm start", () => {
  it("shows one pod for each thing that can happen, and ends by itself with --once", async () => {
    const { status, output } = await run(["--once"]);
    expect(status, output).toBe(0);
    const rows = [...output.matchAll(/^(shop|backoffice)\/(\S+) +(\d\/\d) +(\w+)/gm)].map(
      ([, , name, ready, state]) => `${name} ${ready} ${state}`,
    );
    expect(rows).toEqual([
      "web 1/1 Prepared",
      "prices 1/1 Prepared",
      "ledger 1/1 Prepared",
      "kiosk 0/1 ErrImageNeverPull",
      "payroll 1/1 Prepared",
      "payroll-copy 0/1 ImagePullBackOff",
      "web-typo 0/1 InvalidImageName",
      "recommendations 1/1 Prepared",
    ]);
    expect(output).toContain("5 of 8 pods are prepared");
    expect(output).toContain("Three fail on purpose: backoffice/payroll-copy, shop/kiosk, shop/web-typo.");
    const calls = [...output.matchAll(/^ {2}npx pulley (.*)$/gm)].map(([, call = ""]) => call.split(" "));
    expect(calls).toHaveLength(3);
    for (const call of calls) expect((await pulley(call)).stdout, call.join(" ")).toContain("examples/web.yaml");
    // Its files are gone by then: nothing is told that could not be typed.
    expect(output).not.toContain("pulley doctor");
    const events = output.split("\n").filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line));
    const told = events.map((line) => line.slice(10));
    expect(told.length).toBe(new Set(told).size);
    expect(output).toMatch(/^x\d+ over \d+s {2}Failed +pod\/web-typo\/web {2}Error: InvalidImageName$/m);
    expect(output).not.toMatch(/pears-and-plums|apples-and-grapes/);
  });

  it("ends on Ctrl-C, and says by its status that not everything had happened", async () => {
    const { status, output } = await run([], /ErrImageNeverPull/);
    expect(status).toBe(1);
    expect(output).toMatch(/\d of 8 pods are prepared/);
  });
});
