// The code from the proto files is what they say.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generated, interfaces } from "../support/generate.mjs";
import { root } from "../support/run.mjs";

/** Generated files that differ from what would be written now, one line each. */
export async function generatedCode() {
  const fresh = await mkdtemp(join(tmpdir(), "pulley-generated-"));
  try {
    await generated(fresh);
    const lists = await Promise.all(Object.values(interfaces).map((folder) => differences(fresh, folder)));
    return lists.flat().map((path) => `${path} is not what its proto file says: run npm run generate`);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** @type {(fresh: string, folder: string) => Promise<string[]>} */
async function differences(fresh, folder) {
  const [wanted, present] = await Promise.all([contents(join(fresh, folder)), contents(join(root, folder))]);
  const paths = new Set([...wanted.keys(), ...present.keys()]);
  return [...paths].filter((path) => wanted.get(path) !== present.get(path)).map((path) => join(folder, path));
}

/** The texts of the files in a folder, by their paths in it. @param {string} folder */
async function contents(folder) {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8")));
  return new Map(files.map((path, at) => [path.slice(folder.length + 1), texts[at]]));
}
