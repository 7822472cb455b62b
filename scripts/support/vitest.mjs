// Vitest, and a last line that says the outcome in numbers.
import { writeSync } from "node:fs";
import { silenceReporter } from "./silence.mjs";

/** In milliseconds: longer than any test and any hook may take (vitest.config.ts). */
const longestSilence = 420_000;

/**
 * Runs the tests, prints what was skipped and why, and answers with the exit status. Where every tool is to be there, as
 * in CI, a test that was skipped for want of something is as bad as one that failed.
 *
 * @param {string[]} args
 * @param {number} longest after so many milliseconds without a word of any test, the run is given up
 */
export async function runTests(args, longest = longestSilence) {
  // Imported only now: the script that calls this may just have installed it.
  const { parseCLI, startVitest } = await import("vitest/node");
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const reporters = [...[options.reporters ?? "default"].flat(), silenceReporter(longest, giveUp)];
  const vitest = await startVitest("test", filter, { ...options, reporters });
  const outcome = outcomeOf(vitest.state, options.testNamePattern !== undefined);
  for (const line of outcome.skippedFor) console.log(`skipped: ${line}`);
  console.log(lastLine(outcome));
  return statusOf(outcome);
}

/**
 * Ends this process at once. Any other end waits for the threads, and one of them does not come back.
 *
 * @type {Parameters<typeof silenceReporter>[1]}
 */
function giveUp(text, vitest) {
  const lines = [text, ...(vitest === undefined ? [] : [lastLine(outcomeOf(vitest.state))])];
  writeSync(process.stdout.fd, `${lines.join("\n")}\n`);
  process.kill(process.pid, "SIGKILL");
}

/** @param {Outcome} outcome */
export function statusOf({ passed, failed, skippedFor }) {
  const lacks = process.env["PULLEY_REQUIRE_TOOLS"] === "1" && skippedFor.size > 0;
  return failed === 0 && passed > 0 && !lacks ? 0 : 1;
}

/**
 * A file that cannot be loaded, a hook that throws and an error that no test caught each count as one failure. Where only
 * tests with certain names were asked for, the others are not named as skipped.
 *
 * @typedef {Pick<import("vitest/node").Vitest["state"], "getTestModules" | "getUnhandledErrors">} State
 * @typedef {{ passed: number, failed: number, skipped: number, skippedFor: Set<string> }} Outcome
 * @type {(state: State, isNarrowed?: boolean) => Outcome}
 */
export function outcomeOf(state, isNarrowed = false) {
  /** @type {Outcome} */
  const outcome = { passed: 0, failed: state.getUnhandledErrors().length, skipped: 0, skippedFor: new Set() };
  for (const module of state.getTestModules()) {
    outcome.failed += module.errors().length;
    for (const suite of module.children.allSuites()) outcome.failed += suite.errors().length;
    for (const test of module.children.allTests()) count(test, module, outcome, isNarrowed);
  }
  return outcome;
}

/** @type {(test: import("vitest/node").TestCase, module: import("vitest/node").TestModule, outcome: Outcome, isNarrowed: boolean) => void} */
function count(test, module, outcome, isNarrowed) {
  const result = test.result();
  const { state } = result;
  const note = "note" in result ? result.note : undefined;
  outcome[state === "pending" ? "failed" : state] += 1;
  if (state !== "skipped" || (note === undefined && isNarrowed)) return;
  const { parent } = test;
  const isWhole = parent.type === "suite" && (note !== undefined || parent.state() === "skipped");
  const what = `${module.relativeModuleId} › ${isWhole ? parent.fullName : test.fullName}`;
  outcome.skippedFor.add(note === undefined ? what : `${what}: ${note}`);
}

/** @param {Outcome} outcome */
export function lastLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
