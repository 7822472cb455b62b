import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { capture, root } from "./run.mjs";

// Inside the checkout, so that the planted tests find vitest.
const folder = join(root, ".cache", `planted-tests-${process.pid}`);
beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "vitest.config.mjs"), "export default {};\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = 'import { beforeAll, describe, expect, test } from "vitest";\n';
const support = new URL("vitest.mjs", import.meta.url).href;

/** @type {[what: string, body: string, lastLine: string, status: number, skippedFor: string[]][]} */
const situations = [
  ["what passes", 'test("a", () => expect(1).toBe(1));', "1 passed, 0 failed", 0, []],
  ["what fails", 'test("a", () => {}); test("b", () => expect(1).toBe(2));', "1 passed, 1 failed", 1, []],
  ["a file that does not load", 'import "./nowhere.ts"; test("a", () => {});', "0 passed, 1 failed", 1, []],
  ["a file without tests", "", "0 passed, 1 failed", 1, []],
  [
    "a hook that throws",
    'test("a", () => {}); describe("d", () => { beforeAll(() => { throw new Error("no"); }); test("b", () => {}); });',
    "1 passed, 1 failed, 1 skipped",
    1,
    [" › d > b"],
  ],
  ["nothing but skipped tests", 'test.skip("a", () => {});', "0 passed, 0 failed, 1 skipped", 1, [" › a"]],
  [
    "what was skipped for want of something",
    'test("a", () => {}); describe("with a crane", () => test("x", (context) => context.skip("needs crane")));',
    "1 passed, 0 failed, 1 skipped",
    0,
    [" › with a crane: needs crane"],
  ],
  [
    "what was skipped without a word",
    'describe("d", () => { test("b", () => {}); test.skip("c", () => {}); }); describe.skip("(root)", () => { test("x", () => {}); });',
    "1 passed, 0 failed, 2 skipped",
    0,
    [" › d > c", " › (root)"],
  ],
];

// Each is a file of one run, and is looked at as if it were alone: a run costs seconds.
describe("the outcome", () => {
  /** @type {Record<string, { lastLine: string, status: number, skippedFor: string[] }>} */
  let outcomes;
  beforeAll(async () => {
    const files = situations.map(([, body], at) => writeFile(join(folder, `situation-${at}.test.ts`), head + body));
    await Promise.all(files);
    const { stdout, output } = await runProgram(`
      const { lastLine, outcomeOf, statusOf } = await import(${JSON.stringify(support)});
      const { startVitest } = await import("vitest/node");
      const { state } = await startVitest("test", [], { root: ${JSON.stringify(folder)}, run: true, watch: false });
      const outcomes = state.getTestModules().map((module) => {
        const outcome = outcomeOf({ getTestModules: () => [module], getUnhandledErrors: () => [] });
        const skippedFor = [...outcome.skippedFor].map((text) => text.replace(module.relativeModuleId, ""));
        return [module.relativeModuleId, { lastLine: lastLine(outcome), status: statusOf(outcome), skippedFor }];
      });
      console.log(JSON.stringify(Object.fromEntries(outcomes)));
      process.exit(0);`);
    outcomes = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? output);
    await Promise.all(situations.map((_, at) => rm(join(folder, `situation-${at}.test.ts`))));
  });

  test.each(situations.map((situation, at) => [situation, at]))(
    "counts $0.0",
    ([, , lastLine, status, skippedFor], at) => {
      expect(outcomes[`situation-${at}.test.ts`]).toEqual({ lastLine, status, skippedFor });
    },
  );
});

// Each is a run of its own; they are runs of one process, in a folder each.
describe("a run", () => {
  const both = 'test("a", () => {}); test("x", (context) => context.skip("needs crane"));';
  const lost = 'void Promise.reject(new Error("lost")); await new Promise((r) => setTimeout(r, 20));';
  /** @type {Record<string, { body?: string, more?: Record<string, string>, args?: string[] }>} */
  const runs = {
    uncaught: { body: `test("a", async () => { ${lost} });` },
    required: { body: both, more: { PULLEY_REQUIRE_TOOLS: "1" } },
    narrowed: {
      body: 'test("b", () => {}); test.skip("c", () => {});',
      more: { PULLEY_REQUIRE_TOOLS: "1" },
      args: ["-t", "b"],
    },
    empty: {},
  };
  /** @type {Record<string, { lines: string[], status: number }>} */
  const ended = {};
  beforeAll(async () => {
    for (const [name, { body }] of Object.entries(runs)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "vitest.config.mjs"), "export default {};\n");
      if (body !== undefined) await writeFile(join(folder, name, "planted.test.ts"), head + body);
    }
    const { stdout, output } = await runProgram(`
      const { runTests } = await import(${JSON.stringify(support)});
      for (const [name, { more, args = [] }] of Object.entries(${JSON.stringify(runs)})) {
        delete process.env.PULLEY_REQUIRE_TOOLS;
        Object.assign(process.env, more);
        console.log("begins " + name);
        const status = await runTests(["--root", ${JSON.stringify(folder)} + "/" + name, ...args]);
        console.log("\\nended with " + status);
      }
      process.exit(0);`);
    for (const part of stdout.split(/^begins /m).slice(1)) {
      const [name = "", ...lines] = part.trimEnd().split("\n");
      ended[name] = { lines: lines.slice(0, -2), status: Number(lines.at(-1)?.replace("ended with ", "")) };
    }
    if (Object.keys(ended).length < Object.keys(runs).length) throw new Error(output);
  });
  afterAll(() => Promise.all(Object.keys(runs).map((name) => rm(join(folder, name), { recursive: true }))));

  test("with an error that no test caught is a failure", () => {
    expect([ended["uncaught"]?.lines.at(-1), ended["uncaught"]?.status]).toEqual(["1 passed, 1 failed", 1]);
  });

  test("names what was skipped, and fails where every tool is to be there", () => {
    expect(ended["required"]?.lines).toContain("skipped: planted.test.ts › x: needs crane");
    expect([ended["required"]?.lines.at(-1), ended["required"]?.status]).toEqual(["1 passed, 0 failed, 1 skipped", 1]);
  });

  test("does not name what nobody asked for", () => {
    const { lines = [], status } = ended["narrowed"] ?? {};
    expect([lines.filter((line) => line.startsWith("skipped:")), status]).toEqual([[], 0]);
  });

  test("without any test is a failure", () => {
    expect([ended["empty"]?.lines.at(-1), ended["empty"]?.status]).toEqual(["0 passed, 0 failed", 1]);
  });
});

test("a test that holds its worker is named, and ends the run", async () => {
  // What has happened is told to the main thread a moment later.
  const wait = "await new Promise((r) => setTimeout(r, 1000))";
  const body = `test("a", () => {}); test("b", async () => { ${wait}; for (;;); });`;
  await writeFile(join(folder, "planted.test.ts"), head + body);
  const { stdout, status } = await runProgram(`
    const { runTests } = await import(${JSON.stringify(support)});
    process.exit(await runTests(["--root", ${JSON.stringify(folder)}, "--pool", "threads"], 5000));`);
  expect(stdout).toContain("nothing has begun or ended for 5 s; still going on:\n  planted.test.ts › b\n");
  expect([stdout.trimEnd().split("\n").at(-1), status]).toEqual(["1 passed, 1 failed", "signal SIGKILL"]);
});

/** @type {(program: string, more?: Record<string, string>) => ReturnType<typeof capture>} */
function runProgram(program, more = {}) {
  const { VITEST: _, PULLEY_REQUIRE_TOOLS: __, ...env } = process.env;
  return capture(process.execPath, ["--input-type=module", "--eval", program], { env: { ...env, ...more } });
}
