// The programs that docs/library.md shows, each with what it prints.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./run.mjs";

/** @throws if one of them does not say what it prints */
export async function libraryExamples() {
  const page = await readFile(join(root, "docs", "library.md"), "utf8");
  const shown = page.matchAll(/^```ts\n(.*?)^```\n\n```text\n(.*?)^```/gms);
  const examples = Array.from(shown, ([, code = "", output = ""], at) => ({
    name: `example-${at + 1}`,
    code,
    output,
  }));
  if (page.match(/^```ts$/gm)?.length !== examples.length) {
    throw new Error("docs/library.md has an example without its output");
  }
  return examples;
}
