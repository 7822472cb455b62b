// The package as npm packs it, installed into an empty folder: the program starts, and what docs/library.md shows compiles
// and prints what the page says.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { libraryExamples } from "./library-examples.mjs";
import { capture, npm, root } from "./run.mjs";

/** Everything that packing reads: it builds anew, which must not touch the programs that other tests run. */
const sources = [
  "src",
  "examples",
  "scripts",
  "schema",
  "docs",
  "node_modules",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  ".npmrc",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
];

const examples = await libraryExamples();

/** @type {string} */
let work;
/** @type {string} */
let folder;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "pulley-package-"));
  folder = join(work, "empty");
  const checkout = join(work, "checkout");
  await Promise.all([folder, checkout].map((path) => mkdir(path)));
  for (const name of sources) {
    if (name === "node_modules") await symlink(join(root, name), join(checkout, name));
    else await cp(join(root, name), join(checkout, name), { recursive: true });
  }
  await succeed(npm(["pack", "--pack-destination", work], { cwd: checkout }));
  const [tarball = "none"] = (await readdir(work)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // Whether the database of histories could be installed depends on what npm has kept of earlier installations.
  await succeed(
    npm(["install", "--offline", "--omit=optional", "--no-audit", "--no-fund", join(work, tarball)], { cwd: folder }),
  );
});
afterAll(() => rm(work, { recursive: true, force: true }));

test("holds the program, the types, the pages and the schemas, and none of the examples", async () => {
  const installed = await readdir(join(folder, "node_modules", "pulley"), { recursive: true });
  expect(installed).toEqual(
    expect.arrayContaining([
      "dist/pulley.mjs",
      "dist/THIRD-PARTY-LICENSES.txt",
      "dist/types/image/index.d.ts",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "docs/library.md",
      "schema/blast-radius.json",
      "schema/fleet-history.json",
      "schema/fleet-simulation.json",
      "schema/fleet-trend.json",
      "schema/fleet.json",
      "schema/imagepullpolicy.json",
      "schema/outdated.json",
    ]),
  );
  expect(installed.filter((name) => name.startsWith("dist/examples"))).toEqual([]);
  expect(await readdir(join(folder, "node_modules"))).toEqual([".bin", ".package-lock.json", "pulley"]);
});

test("the program starts", async () => {
  const { stdout } = await succeed(capture("node_modules/.bin/pulley", ["--version"], { cwd: folder }));
  expect(stdout).toContain(JSON.parse(await readFile(join(root, "package.json"), "utf8")).version);
});

test("the library finds the threads of the audit", async () => {
  const program = `
    import { auditInThreads, collectAudit } from "pulley/audit";
    const text = "apiVersion: v1\\nkind: Pod\\nmetadata: { name: a }\\nspec: { containers: [{ name: a, image: 'r.example/a:main' }] }";
    async function* inputs() {
      for (const file of ["a.yaml", "b.yaml"]) yield { kind: "text", file, text, expectManifests: true, mayBePatch: false };
    }
    const { findings } = await collectAudit(auditInThreads(inputs(), { now: 0, threadWorthy: 0 }));
    console.log(findings.map(({ ruleId }) => ruleId).join());`;
  await writeFile(join(folder, "threads.mjs"), program);
  const { stdout } = await succeed(capture(process.execPath, ["threads.mjs"], { cwd: folder }));
  expect(stdout).toBe("tag-moving,tag-moving\n");
});

test("each part of the library has an example", () => {
  const code = examples.map((example) => example.code).join("");
  for (const room of ["image", "workload", "policy", "audit", "versions"])
    expect(code).toContain(`from "pulley/${room}"`);
});

describe.each([
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["preserve", "bundler"],
])("with module %s and moduleResolution %s", (module, moduleResolution) => {
  test("the examples compile, and print what the page says", async () => {
    const place = join(folder, module);
    await mkdir(place);
    for (const { name, code } of examples) await writeFile(join(place, `${name}.ts`), code);
    const typeRoots = [join(root, "node_modules", "@types")];
    const lib = ["es2023"];
    const compilerOptions = {
      strict: true,
      target: "es2023",
      lib,
      module,
      moduleResolution,
      types: ["node"],
      typeRoots,
    };
    await writeFile(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    await succeed(capture(join(root, "node_modules", ".bin", "tsc"), ["--project", place], { cwd: folder }));
    for (const { name, output } of examples) {
      const { stdout } = await succeed(capture(process.execPath, [join(place, `${name}.js`)], { cwd: folder }));
      expect(stdout).toBe(output);
    }
  });
});

/** What a program said, where it ended well. @param {ReturnType<typeof capture>} running */
async function succeed(running) {
  const result = await running;
  expect(result.status, result.output).toBe(0);
  return result;
}
