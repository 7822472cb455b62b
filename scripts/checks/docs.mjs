// The reference pages say what the program says.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pages } from "../support/docs.mjs";
import { root } from "../support/run.mjs";

/** Generated pages that differ from what the program would write now, one line each. */
export async function docs() {
  const problems = [];
  for (const [path, text] of Object.entries(await pages())) {
    const found = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (found !== text)
      problems.push(`${path} is ${found === undefined ? "missing" : "out of date"}: run npm run docs`);
  }
  return problems;
}
