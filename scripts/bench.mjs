// `npm run bench`: one benchmark of the folder bench, or all of them. Needs docker-registry and skopeo.
import "./prepare.mjs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { root, runHere } from "./support/run.mjs";
import { fail, StepError } from "./support/say.mjs";

const files = await readdir(join(root, "bench"));
const known = files.filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -".ts".length));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : known;
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) fail(new StepError(`There is no benchmark ${unknown.join(", ")}, only ${known.join(", ")}.`));

const { build } = await import("rolldown");
const folder = join(root, ".cache", "bench-programs");
for (const name of wanted) {
  const file = join(folder, `${name}.mjs`);
  await build({ input: `bench/${name}.ts`, cwd: root, platform: "node", output: { file, codeSplitting: false } });
  const status = await runHere(process.execPath, [file]);
  if (status !== 0) process.exitCode = status;
}
