import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { capture, root } from "./run.mjs";

// Inside the checkout, so that the planted tests find vitest.
const folder = join(root, ".cache", `planted-tests-${process.pid}`);
beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "vitest.config.mjs"), "export default {};\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = 'import { beforeAll, describe, expect, test } from "vitest";\n';

test.each([
  ["what passes", 'test("a", () => expect(1).toBe(1));', "1 passed, 0 failed", 0],
  ["what fails", 'test("a", () => {}); test("b", () => expect(1).toBe(2));', "1 passed, 1 failed", 1],
  ["a file that does not load", 'import "./nowhere.ts"; test("a", () => {});', "0 passed, 1 failed", 1],
  ["a file without tests", "", "0 passed, 1 failed", 1],
  [
    "a hook that throws",
    'test("a", () => {}); describe("d", () => { beforeAll(() => { throw new Error("no"); }); test("b", () => {}); });',
    "1 passed, 1 failed, 1 skipped",
    1,
  ],
  [
    "an error that no test caught",
    'test("a", async () => { void Promise.reject(new Error("lost")); await new Promise((r) => setTimeout(r, 20)); });',
    "1 passed, 1 failed",
    1,
  ],
  ["nothing but skipped tests", 'test.skip("a", () => {});', "0 passed, 0 failed, 1 skipped", 1],
])("the last line counts %s", async (_, body, lastLine, expected) => {
  await writeFile(join(folder, "planted.test.ts"), head + body);
  const { stdout, status } = await runPlanted();
  expect([stdout.trimEnd().split("\n").at(-1), status]).toEqual([lastLine, expected]);
});

test("what was skipped for want of something is named", async () => {
  const body = 'describe("with a crane", () => test("x", (context) => context.skip("needs crane")));';
  await writeFile(join(folder, "planted.test.ts"), `${head}${body}`);
  const { stdout } = await runPlanted();
  expect(stdout).toContain("skipped: planted.test.ts › with a crane: needs crane\n");
});

test("what was skipped without a word is named, but not what nobody asked for", async () => {
  const body =
    'describe("d", () => { test("b", () => {}); test.skip("c", () => {}); }); describe.skip("(needs root)", () => { test("x", () => {}); });';
  await writeFile(join(folder, "planted.test.ts"), head + body);
  /** @param {string[]} args */
  const named = async (...args) => {
    const { stdout } = await runPlanted({}, ...args);
    return stdout.split("\n").filter((line) => line.startsWith("skipped:"));
  };
  expect(await named()).toEqual(["skipped: planted.test.ts › d > c", "skipped: planted.test.ts › (needs root)"]);
  expect(await named("-t", "b")).toEqual([]);
});

test.each([
  ["fails nothing", {}, 0],
  ["is a failure where every tool is to be there", { PULLEY_REQUIRE_TOOLS: "1" }, 1],
])("what was skipped for want of something %s", async (_, more, expected) => {
  const body = 'test("x", (context) => context.skip("needs crane")); test("a", () => expect(1).toBe(1));';
  await writeFile(join(folder, "planted.test.ts"), head + body);
  const { stdout, status } = await runPlanted(more);
  expect([stdout.trimEnd().split("\n").at(-1), status]).toEqual(["1 passed, 0 failed, 1 skipped", expected]);
});

test("no test at all is a failure", async () => {
  await rm(join(folder, "planted.test.ts"), { force: true });
  const { stdout, status } = await runPlanted();
  expect([stdout.trimEnd().split("\n").at(-1), status]).toEqual(["0 passed, 0 failed", 1]);
});

/** @type {(more?: Record<string, string>, ...args: string[]) => ReturnType<typeof capture>} */
function runPlanted(more = {}, ...args) {
  const program = `
    const { runTests } = await import(${JSON.stringify(new URL("vitest.mjs", import.meta.url).href)});
    process.exit(await runTests(${JSON.stringify(["--root", folder, ...args])}));`;
  const { VITEST: _, PULLEY_REQUIRE_TOOLS: __, ...env } = process.env;
  return capture(process.execPath, ["--input-type=module", "--eval", program], { env: { ...env, ...more } });
}
