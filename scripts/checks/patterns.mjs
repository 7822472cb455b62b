// Rules that are patterns over the lines that we ship: `{ name, pattern, allowed }`, where `allowed` names files.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/run.mjs";

/** @typedef {{ name: string, pattern: RegExp, allowed?: string[] }} Rule */

/** Where the code that we ship breaks a rule, one line each. @type {(rules: Rule[], exempt?: string[]) => Promise<string[]>} */
export async function violations(rules, exempt = []) {
  const files = (await readdir(join(root, "src"), { recursive: true })).map((name) => `src/${name}`);
  const shipped = files.filter(
    (name) => name.endsWith(".ts") && !/\.test\.ts$|\/testing(\/|\.ts$)|\/contract\//.test(name),
  );
  if (shipped.length < 100) return ["no files were found, so nothing was checked"];
  const problems = [];
  for (const file of shipped) {
    if (exempt.includes(file)) continue;
    problems.push(...violationsIn(rules, await readFile(join(root, file), "utf8"), file));
  }
  return problems;
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
