// The types of what other programs may import: a folder of declarations that needs no package but Node's own types.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { library } from "./bundle.mjs";
import { capture, root } from "./run.mjs";
import { StepError } from "./say.mjs";

/** A module that a declaration imports: `from "./x.ts"`, `import("./x.ts")`. */
const imported = /((?:\bfrom |\bimport\()")([^"]+)(")/g;

/** Writes the declarations, as far as the library's entries reach. @param {string} folder */
export async function writeDeclarations(folder) {
  const work = join(root, ".cache", `declarations-${process.pid}`);
  try {
    await emit(work);
    const open = Object.values(library).map((door) => join(work, relative("src", door).replace(/\.ts$/, ".d.ts")));
    const files = new Set(open);
    for (const file of files) {
      const { text, imports } = await readDeclaration(file);
      for (const other of imports) files.add(other);
      const place = join(folder, relative(work, file));
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, text);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Has the compiler write the declarations of all modules that the entries load. @param {string} outDir */
async function emit(outDir) {
  const config = join(outDir, "tsconfig.json");
  const options = { noEmit: false, emitDeclarationOnly: true, rootDir: join(root, "src"), outDir };
  const files = Object.values(library).map((door) => join(root, door));
  await mkdir(outDir, { recursive: true });
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions: options, files, include: [] }),
  );
  const { status, output } = await capture("node_modules/.bin/tsc", ["--project", config]);
  if (status !== 0) throw new StepError(`${output.trim()}\n\ntsc ended with status ${status}.`);
}

/**
 * A declaration with its imports as Node names the modules, and the files of those that are ours.
 *
 * @param {string} file
 */
async function readDeclaration(file) {
  /** @type {string[]} */
  const imports = [];
  const text = (await readFile(file, "utf8")).replaceAll(imported, (_, before, module, after) => {
    if (module.startsWith("node:")) return before + module + after;
    if (!module.startsWith(".")) throw new StepError(`${file} needs the types of ${module}, which is not installed.`);
    imports.push(join(dirname(file), module.replace(/\.ts$/, ".d.ts")));
    return before + module.replace(/\.ts$/, ".js") + after;
  });
  return { text, imports };
}
