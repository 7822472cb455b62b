// The rooms keep to their floors; and the check that says so is checked against imports that break every rule.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cruise } from "dependency-cruiser";
import { root } from "../support/run.mjs";
import { StepError } from "../support/say.mjs";
import { lawful, planted } from "./planted.mjs";
import { floors, rules } from "./rooms.mjs";

/** @typedef {{ name: string, from: string, to: string }} Violation */

/** What is wrong with the imports of this checkout, one line each. */
export async function layers() {
  const present = await existing(["src", "test", "examples"]);
  const { modules, violations } = await violationsIn(root, present);
  if (modules === 0) return ["no modules were found, so nothing was checked"];
  return [...(await unknownRooms()), ...violations.map(({ name, from, to }) => `${name}: ${from} imports ${to}`)];
}

/** Where the rules fail to find what was planted for them, or find what is lawful. */
export async function layersProof() {
  const folder = join(root, ".cache", "planted");
  await rm(folder, { recursive: true, force: true });
  for (const [path, imports] of Object.entries({ ...lawful, ...planted.files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), imports.map((to) => `import "${to}";\n`).join(""));
  }
  const { violations } = await violationsIn(folder, await readdir(folder));
  const found = new Set(violations.map(({ name, from, to }) => `${name}: ${from} imports ${to}`));
  const unproven = rules.filter(({ name }) => !planted.violations.some((line) => line.startsWith(`${name}:`)));
  return [
    ...unproven.map(({ name }) => `nothing is planted for the rule ${name}`),
    ...planted.violations.filter((line) => !found.has(line)).map((line) => `not found: ${line}`),
    ...[...found].filter((line) => !planted.violations.includes(line)).map((line) => `found though lawful: ${line}`),
  ];
}

/** @type {(baseDir: string, folders: string[]) => Promise<{ modules: number, violations: Violation[] }>} */
async function violationsIn(baseDir, folders) {
  const { output } = await cruise(
    folders,
    {
      baseDir,
      ruleSet: { forbidden: rules.map((rule) => ({ severity: "error", ...rule })) },
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: "node_modules" },
    },
    {
      extensions: [".ts", ".mjs", ".js", ".json"],
      conditionNames: ["import", "node", "types"],
      exportsFields: ["exports"],
    },
  );
  if (typeof output === "string") throw new StepError(output);
  const violations = output.summary.violations.map(({ rule, from, to }) => ({ name: rule.name, from, to }));
  return { modules: output.summary.totalCruised, violations };
}

/** A folder that is on no floor would escape the rules. */
async function unknownRooms() {
  const entries = await readdir(join(root, "src"), { withFileTypes: true });
  const strangers = entries.filter((entry) => !entry.isDirectory() || !floors.flat().includes(entry.name));
  return strangers.map(({ name }) => `src/${name} is no room that scripts/checks/rooms.mjs puts on a floor`);
}

/** @param {string[]} folders */
async function existing(folders) {
  const names = await readdir(root);
  return folders.filter((folder) => names.includes(folder));
}
