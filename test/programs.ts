/** Real programs that tests and benchmarks work against, where this machine has them. */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Folders of programs that a user's PATH may leave out: the system's, and where `go install` puts what it builds. */
const moreFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", join(homedir(), "go", "bin")];

/** Where Debian has the programs of PostgreSQL's server, the newest version first. */
function postgresFolders(): readonly string[] {
  const versions = "/usr/lib/postgresql";
  if (!existsSync(versions)) return [];
  const newestFirst = readdirSync(versions).toSorted((one, other) => Number(other) - Number(one));
  return newestFirst.map((version) => join(versions, version, "bin"));
}

/** Where a kubelet and an API server may lie, with what belongs to it: `KUBE_ASSETS`, or `KUBEBUILDER_ASSETS` as others call it. */
function assetFolders(): readonly string[] {
  return ["KUBE_ASSETS", "KUBEBUILDER_ASSETS"].flatMap((name) => process.env[name] || []);
}

/**
 * The absolute path of a program, or `undefined` if this machine does not have it.
 * @throws Error if it is missing and the environment says `PULLEY_REQUIRE_TOOLS=1`, as CI does
 */
export function tool(name: string): string | undefined {
  const usual = (process.env["PATH"] ?? "").split(delimiter);
  const folders = [...usual, ...moreFolders, ...postgresFolders(), ...assetFolders()].filter(isAbsolute);
  const path = folders.map((folder) => join(folder, name)).find(isProgram);
  if (path === undefined && process.env["PULLEY_REQUIRE_TOOLS"] === "1") {
    const where = ["kubelet", "kube-apiserver"].includes(name) ? " in the folder KUBE_ASSETS" : "";
    throw new Error(
      `${name} is not installed${where}, and PULLEY_REQUIRE_TOOLS=1 asks for every tool that the tests know`,
    );
  }
  return path;
}

/** As {@link tool}, for places that only run where the program is known to be there. */
export function requiredTool(name: string): string {
  const path = tool(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** What a program printed. @throws Error with the program's own words if it fails or takes longer than a minute */
export async function run(path: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await execute(path, args, {
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  return stdout;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
