// What docs/library.md shows compiles with the sources. That it prints what the page says is for package.test.mjs.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { library } from "../support/bundle.mjs";
import { libraryExamples } from "../support/library-examples.mjs";
import { capture, root } from "../support/run.mjs";

/** What the compiler says about the examples. */
export async function libraryPage() {
  const folder = join(root, ".cache", "library");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { name, code } of await libraryExamples()) await writeFile(join(folder, `${name}.ts`), code);
  const doors = Object.entries(library).map(([room, door]) => [`pulley/${room}`, [join(root, door)]]);
  const kept = { incremental: true, tsBuildInfoFile: `${folder}.tsbuildinfo` };
  const compilerOptions = { ...kept, paths: Object.fromEntries(doors), declaration: false };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { status, output } = await capture("node_modules/.bin/tsc", ["--project", folder]);
  return status === 0 ? [] : [`docs/library.md: ${output.trim()}`];
}
