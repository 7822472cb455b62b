// The packages that the lock file names, in node_modules.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "./run.mjs";
import { StepError, step } from "./say.mjs";

/** Installs what the lock file names, also where NODE_ENV is production, unless exactly that is there already. */
export async function install() {
  if (isInstalled()) return;
  await step("Installing packages", async () => {
    const { status, output } = await npm(["ci", "--include=dev", "--loglevel=error"]);
    if (status !== 0) throw new StepError(`${output.trim()}\n\nnpm ci ended with status ${status}.`);
  });
}

function isInstalled() {
  const wanted = packagesOf("package-lock.json");
  const present = packagesOf(join("node_modules", ".package-lock.json"));
  if (wanted === undefined) throw new StepError("package-lock.json is missing or damaged: restore it from git.");
  return present !== undefined && fulfils(present, wanted);
}

/**
 * npm notes at the end of every installation what it put into node_modules. Comparing that with the lock file finds
 * a missing, an interrupted and an outdated installation alike. Packages for other platforms are never there.
 */
export function fulfils(present, wanted) {
  const missing = Object.entries(wanted).some(([path, { version, integrity, optional }]) => {
    const found = present[path];
    if (found === undefined) return path !== "" && optional !== true;
    return found.version !== version || found.integrity !== integrity;
  });
  return !missing && Object.keys(present).every((path) => path in wanted);
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), "utf8")).packages;
  } catch {
    return undefined;
  }
}
