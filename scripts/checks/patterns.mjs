// Rules that are patterns over the lines that we ship: `{ name, pattern, allowed }`, where `allowed` names files.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/run.mjs";

/** @typedef {{ name: string, pattern: RegExp, allowed?: string[] }} Rule */

/** Where the code that we ship breaks a rule, one line each. @type {(rules: Rule[], exempt?: string[]) => Promise<string[]>} */
export async function violations(rules, exempt = []) {
  const files = await shippedFiles();
  return files.flatMap(([file, text]) => (exempt.includes(file) ? [] : violationsIn(rules, text, file)));
}

/** The code that we ship, each file's path and text. @type {() => Promise<[string, string][]>} */
export async function shippedFiles() {
  const files = (await readdir(join(root, "src"), { recursive: true })).map((name) => `src/${name}`);
  const shipped = files.filter(
    (name) => name.endsWith(".ts") && !/\.test\.ts$|\/testing(\/|\.ts$)|\/contract(\/|\.ts$)/.test(name),
  );
  if (shipped.length < 100) throw new Error("no files were found, so nothing was checked");
  return Promise.all(shipped.map(async (name) => [name, await readFile(join(root, name), "utf8")]));
}

/**
 * What the rules fail to find of what is planted, or find though it is lawful.
 * @type {(rules: Rule[], examples: { planted: string[], lawful: string[] }) => string[]}
 */
export function proofOf(rules, { planted, lawful }) {
  return [
    ...planted
      .filter((text) => violationsIn(rules, text, "planted.ts").length === 0)
      .map((text) => `not found: ${text}`),
    ...lawful.flatMap((text) => violationsIn(rules, text, "lawful.ts")).map((line) => `found though lawful: ${line}`),
  ];
}

/** @type {(rules: Rule[], text: string, file: string) => string[]} */
function violationsIn(rules, text, file) {
  return rules.flatMap(({ name, pattern, allowed = [] }) =>
    allowed.includes(file)
      ? []
      : [...text.matchAll(pattern)].map(
          ({ index, 0: found }) => `${file}:${text.slice(0, index).split("\n").length}: ${name}: ${found}`,
        ),
  );
}
