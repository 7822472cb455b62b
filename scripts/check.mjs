// `npm run check`: everything that can be said about the code without running it. One line a check; all are run.
import "./prepare.mjs";
import { inspect } from "node:util";
import { capture } from "./support/run.mjs";

// Imported only now: the packages that they need may just have been installed.
const { docs } = await import("./checks/docs.mjs");
const { generatedCode } = await import("./checks/generated.mjs");
const { layers, layersProof } = await import("./checks/layers.mjs");
const { printing, printingProof } = await import("./checks/printing.mjs");
const { exitStatus, exitStatusProof } = await import("./checks/exit-status.mjs");
const { libraryPage } = await import("./checks/library.mjs");
const { links } = await import("./checks/links.mjs");
const { lockFile } = await import("./checks/lock.mjs");
const { sizes, sizesProof } = await import("./checks/sizes.mjs");

const checks = {
  // What has not changed since the last check is not checked again: 4 to 10 s of processor time instead of 21 s.
  "types agree": () => program("tsc", "--incremental", "--tsBuildInfoFile", ".cache/types.tsbuildinfo"),
  "format and imports": () => program("biome", "check", "--error-on-warnings"),
  "lint, with types": () => program("oxlint", "--type-aware", "--deny-warnings"),
  "rooms keep to their floors": layers,
  "…and the rules for that find every planted violation": layersProof,
  "no room is the house, and few files are small": sizes,
  "…and the check for that finds both": sizesProof,
  "nothing is printed past what makes it harmless": printing,
  "…and the check for that finds every planted violation": printingProof,
  "commands return their exit status, and leave nothing in the process": exitStatus,
  "…and the check for that finds every planted one": exitStatusProof,
  "nothing is unused": () => program("knip", "--no-progress"),
  "generated code is up to date": generatedCode,
  "lock file": lockFile,
  "links in the pages": links,
  "examples of the library": libraryPage,
  "reference pages are up to date": docs,
};

let failures = 0;
for (const [name, check] of Object.entries(checks)) {
  const started = performance.now();
  const problems = await problemsOf(check);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
  for (const problem of problems) console.log(problem.replaceAll(/^/gm, "        "));
  if (problems.length > 0) failures += 1;
}
console.log(failures === 0 ? "All checks hold." : `${failures} of ${Object.keys(checks).length} checks failed.`);
process.exitCode = failures === 0 ? 0 : 1;

/** A check that cannot be carried out has not held. @type {(check: () => string[] | Promise<string[]>) => Promise<string[]>} */
async function problemsOf(check) {
  try {
    return await check();
  } catch (error) {
    return [inspect(error)];
  }
}

/** Runs one of the installed programs; if it fails, its output is the problem. @type {(name: string, ...args: string[]) => Promise<string[]>} */
async function program(name, ...args) {
  const { status, output } = await capture(`node_modules/.bin/${name}`, args);
  return status === 0 ? [] : [output.trim() || `${name} ended with status ${status}`];
}
