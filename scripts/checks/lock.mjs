// The lock file: the same packages for everybody, from whichever registry they use, on every Node that we promise.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { minVersion, satisfies, valid } from "semver";
import { root } from "../support/run.mjs";

/** @typedef {{ dependencies?: Record<string, string>, devDependencies?: Record<string, string>, engines: { node: string } }} Manifest */
/** @typedef {{ version?: string, resolved?: string, integrity?: string | undefined, engines?: { node?: string } }} LockedPackage */

/** What is wrong with this checkout's package.json and package-lock.json, one line each. */
export async function lockFile() {
  return lockProblems(await readJson("package.json"), await readJson("package-lock.json"));
}

/** @type {(manifest: Manifest, lock: { packages: Record<string, LockedPackage> }) => string[]} */
export function lockProblems(manifest, lock) {
  const installed = Object.entries(lock.packages).filter(([path]) => path !== "");
  if (installed.length === 0) return ["the lock file names no packages, so nothing was checked"];
  return [
    ...unpinned({ ...manifest.dependencies, ...manifest.devDependencies }),
    ...installed.flatMap(([path, entry]) => [...origin(path, entry), ...age(path, entry, manifest.engines.node)]),
  ];
}

/** @param {string} path */
async function readJson(path) {
  return JSON.parse(await readFile(join(root, path), "utf8"));
}

/** @param {Record<string, string>} dependencies */
function unpinned(dependencies) {
  const loose = Object.entries(dependencies).filter(([, version]) => valid(version) === null);
  return loose.map(([name, version]) => `${name} is not pinned to one version: ${version}`);
}

/** @type {(path: string, entry: LockedPackage) => string[]} */
function origin(path, { resolved, integrity }) {
  const problems = [];
  if (resolved !== undefined) problems.push(`${path} names where it was downloaded from: ${resolved}`);
  if (integrity === undefined) problems.push(`${path} has no integrity hash`);
  return problems;
}

/** @type {(path: string, entry: LockedPackage, promised: string) => string[]} */
function age(path, { engines }, promised) {
  const oldest = minVersion(promised);
  if (engines?.node === undefined || satisfies(oldest, engines.node)) return [];
  return [`${path} needs Node ${engines.node}, and we promise ${promised}`];
}
