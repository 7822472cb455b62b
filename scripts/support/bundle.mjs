// The programs that we ship, each with everything it needs: Pulley has no packages to install at run time.
import { chmod, mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { licencesOf, packageFolder, packagesOf } from "./licences.mjs";
import { capture, root } from "./run.mjs";
import { StepError } from "./say.mjs";

const dist = join(root, "dist");

/** Everything that dist is made from. */
const sources = ["src", "examples", "scripts", "package.json", "package-lock.json"];

/** What other programs may import, by the name in `pulley/NAME`. */
export const library = {
  ...Object.fromEntries(["image", "workload", "policy", "audit"].map((room) => [room, `src/${room}/index.ts`])),
  versions: "src/versions/tags/index.ts",
};

/** @typedef {{ entries: Record<string, string>, prefix?: string, without?: string[] }} Bundle */

/** Each bundle shares chunks among its own entries only. All chunks lie in one folder, where they find the worker. @type {Bundle[]} */
const bundles = [
  { entries: { pulley: "src/cli/main.ts", "examples/start": "examples/start.ts" } },
  {
    entries: { "download-worker": "src/registry/transfer/download-worker.ts" },
    prefix: "download-worker-",
    // A thread that starts fast: nothing that only a command line needs may come along.
    without: ["commander", "yaml", "zod", "tar"],
  },
  {
    entries: { "audit-worker": "src/audit/threads/audit-worker.ts" },
    prefix: "audit-worker-",
    without: ["commander", "tar"],
  },
  {
    entries: Object.fromEntries(Object.entries(library).map(([room, door]) => [`library-${room}`, door])),
    prefix: "library-",
    without: ["commander", "tar"],
  },
];

/** Whether dist is there and nothing that it is made from has changed since. */
export async function isBuilt() {
  const built = await timeOf(join(dist, "pulley.mjs"));
  const changes = await Promise.all(sources.map((path) => latestChange(join(root, path))));
  return built !== undefined && Math.max(...changes) < built;
}

/** Builds dist beside its place and moves it there, so that nobody ever sees half of it. */
export async function build() {
  const fresh = join(root, ".cache", `dist-fresh-${process.pid}`);
  const former = join(root, ".cache", `dist-former-${process.pid}`);
  try {
    await buildInto(fresh);
    await rename(dist, former).catch(ignore("ENOENT"));
    // Two builds at once: the one that is second has nothing to add.
    await rename(fresh, dist).catch(ignore("ENOTEMPTY"));
  } finally {
    await Promise.all([fresh, former].map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** @param {string} folder */
async function buildInto(folder) {
  // Imported only now: the script that calls this may just have installed it.
  const { build: rolldown } = await import("rolldown");
  const started = new Date();
  await mkdir(folder, { recursive: true });
  const packages = new Set();
  for (const bundle of bundles) {
    for (const path of await write(rolldown, bundle, folder)) packages.add(path);
  }
  await writeFile(join(folder, "build.json"), `${JSON.stringify({ commit: await commit() })}\n`);
  await writeFile(join(folder, "THIRD-PARTY-LICENSES.txt"), await licencesOf(packages));
  await chmod(join(folder, "pulley.mjs"), 0o755);
  // What changes while we build is not in what we build.
  await utimes(join(folder, "pulley.mjs"), started, started);
}

/** The commit that is checked out; with a mark where the sources are not what it has. Null outside of git. */
async function commit() {
  /** @param {string[]} args */
  const git = (...args) => capture("git", args).catch(() => ({ status: 1, stdout: "" }));
  const [head, changes] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain", "--", ...sources)]);
  if (head.status !== 0) return null;
  return head.stdout.trim() + (changes.stdout === "" ? "" : ", changed");
}

/** Writes one bundle and answers with the folders of the packages in it. @type {(rolldown: typeof import("rolldown").build, bundle: Bundle, folder: string) => Promise<string[]>} */
async function write(rolldown, { entries, prefix = "", without = [] }, folder) {
  const { output } = await rolldown({
    input: entries,
    cwd: root,
    platform: "node",
    // A program in a package for some systems, which stays outside; and one that pg would use if somebody had it.
    external: ["libsql", "pg-native"],
    // No module of ours does anything when it is loaded: so who comes through the door of a room loads only what it uses.
    // Nor does one of the Kubernetes client, of which we use what reads kubeconfigs, and no generated class of its API.
    treeshake: { moduleSideEffects: [{ test: /\/src\/|\/@kubernetes\/client-node\//, sideEffects: false }] },
    transform: { target: "node20.19" },
    onLog(level, { message }) {
      if (level === "warn") throw new Error(message);
    },
    output: {
      dir: folder,
      entryFileNames: "[name].mjs",
      chunkFileNames: (chunk) => `${prefix}${packageOf(chunk) ?? "[name]"}.mjs`,
      postBanner: ({ name }) => (name === "pulley" ? "#!/usr/bin/env node" : ""),
    },
  }).catch((/** @type {unknown} */ error) => {
    throw new StepError(stripVTControlCharacters(error instanceof Error ? error.message : String(error)));
  });
  const packages = packagesOf(output);
  const unwelcome = without.filter((name) => packages.some((path) => path.endsWith(`/node_modules/${name}`)));
  if (unwelcome.length > 0) {
    throw new StepError(`${Object.keys(entries).join()} must do without ${unwelcome.join()}, but imports it.`);
  }
  return packages;
}

/** The package that a chunk begins with, which says more than the file in the package that the chunk begins with. @param {{ moduleIds: string[] }} chunk */
function packageOf({ moduleIds }) {
  return packageFolder(moduleIds.at(-1) ?? "")
    ?.split("/node_modules/")
    .at(-1)
    ?.replace("/", "-");
}

/** The latest change of a file, or of anything in a folder; a file that went away changes its folder. @type {(path: string) => Promise<number>} */
async function latestChange(path) {
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const names = await readdir(path);
  const changes = await Promise.all(names.map((name) => latestChange(join(path, name))));
  return Math.max(found.mtimeMs, ...changes);
}

/** @param {string} path */
async function timeOf(path) {
  const found = await stat(path).catch(ignore("ENOENT"));
  return found?.mtimeMs;
}

/** @param {string} code */
function ignore(code) {
  return (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== code) throw error;
  };
}
