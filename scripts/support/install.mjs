// The packages that the lock file names, in node_modules.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "./run.mjs";
import { StepError, step } from "./say.mjs";

/** Whatever called this: below `npm install --global`, npm would install globally, too. */
const always = ["--include=dev", "--ignore-scripts", "--no-global", "--location=project"];
/** npm's own patience is minutes long: without a network, a person wants to hear of that at once. */
const patience = [
  "--fetch-retries=1",
  "--fetch-retry-mintimeout=500",
  "--fetch-retry-maxtimeout=1000",
  "--fetch-timeout=60000",
];
/** Milliseconds without a single package after which there is no use in waiting. */
const longestSilence = 60_000;

/** Installs what the lock file names, also where NODE_ENV is production, unless exactly that is there already. */
export async function install() {
  if (isInstalled()) return;
  await step("Installing packages", async (tell) => {
    let fetched = 0;
    const giveUp = new AbortController();
    const silence = setTimeout(() => giveUp.abort(), longestSilence);
    /** @param {string} text */
    const hear = (text) => {
      fetched += text.match(/http (?:fetch GET 200|cache) /g)?.length ?? 0;
      if (fetched > 0) clearTimeout(silence);
      tell(`${fetched} packages`);
    };
    const args = ["ci", ...always, "--loglevel=http", "--no-audit", "--no-fund", ...patience];
    try {
      const { status, output } = await npm(args, { hear, signal: giveUp.signal });
      if (status !== 0) throw new StepError(failureText(output, status));
    } catch (error) {
      if (giveUp.signal.aborted) throw new StepError(withoutNetwork(`nothing came within ${longestSilence / 1000} s`));
      throw error;
    } finally {
      clearTimeout(silence);
    }
  });
}

/** Why npm has failed: in a sentence where that is the network, and else in npm's own words. @type {(output: string, status: number | string) => string} */
export function failureText(output, status) {
  const [, code] = /\b(ENOTFOUND|EAI_AGAIN|E(?:CONN|NET|HOST)\w+|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/.exec(output) ?? [];
  const [, host] = /request to https?:\/\/([^/\s]+)/.exec(output) ?? [];
  if (code !== undefined) return withoutNetwork(host === undefined ? code : `${host} cannot be reached (${code})`);
  const said = output.split("\n").filter((line) => !line.startsWith("npm http "));
  return `${said.join("\n").trim()}\n\nnpm ci ended with status ${status}.`;
}

/** @param {string} why */
function withoutNetwork(why) {
  return (
    `The packages cannot be fetched: ${why}.\n` +
    "Connect this machine to the network, or name a registry or proxy that it reaches (npm config set registry,\n" +
    "https-proxy), and call it again. What was fetched is kept."
  );
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
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} Package
 * @type {(present: Record<string, Package>, wanted: Record<string, Package>) => boolean}
 */
export function fulfils(present, wanted) {
  const missing = Object.entries(wanted).some(([path, { version, integrity, optional }]) => {
    const found = present[path];
    if (found === undefined) return path !== "" && optional !== true;
    return found.version !== version || found.integrity !== integrity;
  });
  return !missing && Object.keys(present).every((path) => path in wanted);
}

/** @type {(lockFile: string) => Record<string, Package> | undefined} */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), "utf8")).packages;
  } catch {
    return undefined;
  }
}
