// The licences of the packages whose code is in a bundle: who ships the code ships the text.
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./run.mjs";
import { StepError } from "./say.mjs";

/** @type {Record<string, string>} */
const common = {
  "Apache-2.0": join(root, "LICENSE"),
  "BSD-3-Clause": join(root, "scripts", "support", "BSD-3-Clause.txt"),
  MIT: join(root, "scripts", "support", "MIT.txt"),
};

/** @typedef {import("rolldown").OutputChunk} OutputChunk */
/** @typedef {import("rolldown").OutputAsset} OutputAsset */

/** The folders of the packages that a bundle's chunks really took code from. @param {Array<OutputChunk | OutputAsset>} output */
export function packagesOf(output) {
  const paths = output.flatMap((file) => (file.type === "chunk" ? Object.keys(file.modules) : []));
  const folders = paths.map(packageFolder);
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

/** The folder of the package that a module belongs to, if it belongs to one. @param {string} path */
export function packageFolder(path) {
  return /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/** One text with name, version, licence and licence text of each package, in the order of their names. @param {Iterable<string>} folders */
export async function licencesOf(folders) {
  const sections = await Promise.all([...withDependencies(folders)].map(sectionOf));
  return [...new Set(sections)].toSorted().join(`\n${"-".repeat(80)}\n\n`);
}

/** A package may ship its dependencies inside its own files, where the bundler cannot tell: they are named as well. @param {Iterable<string>} folders */
function withDependencies(folders) {
  const all = new Set(folders);
  for (const folder of all) {
    for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
      const places = [join(folder, "node_modules", name), join(root, "node_modules", name)];
      const place = places.find((path) => existsSync(path));
      if (place !== undefined) all.add(place);
    }
  }
  return all;
}

/** @param {string} folder */
async function sectionOf(folder) {
  const { name, version, license } = manifestOf(folder);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  const paths = files.length > 0 ? files.map((file) => join(folder, file)) : commonTexts(name, license);
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join("\n\n")}\n`;
}

/** Some packages only name their licence: then it is the common text of that name that holds. @type {(name: string, license: string) => string[]} */
function commonTexts(name, license) {
  // It gives everything to the public, and asks for no text.
  if (license === "Unlicense") return [];
  const words = (license.match(/[A-Za-z0-9.-]+/g) ?? []).filter((word) => word !== "AND");
  const paths = words.map((word) => common[word]).filter((path) => path !== undefined);
  if (words.length === 0 || paths.length < words.length) {
    throw new StepError(`${name} is bundled, but comes without the text of its licence, ${license}.`);
  }
  return paths;
}

/** @param {string} folder */
function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
