/** The logins of a person's machine, as docker, podman and skopeo find them. */

import { join } from "node:path";
import type { Repository } from "../image/index.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { Login, type LoginSecret } from "../support/login.ts";
import { type DockerConfig, parseDockerConfig, parseDockercfg } from "./docker-config.ts";
import { helperServersOf, hostOf, pathOf, serverOf } from "./docker-server.ts";
import { askHelper, type HelperDeps } from "./helper.ts";
import { readSmallFile } from "./small-file.ts";
import type { LoginSource } from "./types.ts";

/**
 * One login at most, as skopeo chooses it: that of the first file which has one for the repository, and in that file
 * the one for the longest path. Hosts are compared as a whole, never in part. Where a file names a credential helper
 * for the host, only the helper speaks for that file. What the login pulls, every pod may use: it stands where a node
 * has its own.
 */
export function clientLogins(folders: ClientFolders, { clock }: Pick<HelperDeps, "clock">): LoginSource {
  const deps = { environment: folders.environment, clock };
  return {
    logins: async (repository) => {
      for (const file of clientFiles(folders)) {
        const config = await readClientFile(file);
        const login = config && (await loginFrom(config, file.path, repository, deps));
        if (login !== undefined) return [login];
      }
      return [];
    },
  };
}

async function loginFrom(
  config: DockerConfig,
  path: string,
  repository: Repository,
  deps: HelperDeps,
): Promise<Login | undefined> {
  const helper = helperFor(config, repository.registry);
  if (helper === undefined) {
    const secret = secretFor(config.logins, repository);
    return secret && new Login(path, secret, { kind: "node" });
  }
  for (const server of helperServersOf(repository.registry)) {
    const secret = await askHelper(helper, server, deps);
    if (secret !== undefined) return new Login(`credential helper ${helper} (${path})`, secret, { kind: "node" });
  }
  return undefined;
}

/** The credential helper that speaks for a registry, if one is configured. */
export function helperFor({ credHelpers, credsStore }: DockerConfig, registry: string): string | undefined {
  const own = [...credHelpers].find(([host]) => hostOf(host) === hostOf(registry))?.[1];
  return own === undefined ? credsStore : own || undefined;
}

/** Of several spellings of one place, docker's own comes first, as it does for docker. */
export function secretFor(
  logins: ReadonlyMap<string, LoginSecret>,
  { registry, path }: Pick<Repository, "registry" | "path">,
): LoginSecret | undefined {
  let best: { readonly rank: number; readonly secret: LoginSecret } | undefined;
  for (const [location, secret] of logins) {
    const place = pathOf(location);
    const rank = place.length * 2 + (location === serverOf(registry) ? 1 : 0);
    const matches = hostOf(location) === hostOf(registry) && isWithin(path, place);
    if (matches && rank > (best?.rank ?? -1)) best = { rank, secret };
  }
  return best?.secret;
}

function isWithin(path: string, parent: string): boolean {
  return parent === "" || path === parent || path.startsWith(`${parent}/`);
}

/** Where a person's machine keeps the files of docker, podman and skopeo. */
export interface ClientFolders {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  /** `process.getuid()`; absent on Windows. */
  readonly uid: number | undefined;
  /** The one file to read, where the user names one; `REGISTRY_AUTH_FILE` does so, too. */
  readonly authFile?: string | undefined;
}

export interface ClientFile {
  readonly path: string;
  readonly format: "config" | "dockercfg";
  /** Whether somebody named the file, so that it has to be there. */
  readonly required: boolean;
}

/** The files in the order in which they are read, that of containers-auth.json(5). */
export function clientFiles({ environment, home, uid, authFile }: ClientFolders): readonly ClientFile[] {
  const variable = (name: string) => environment[name] || undefined;
  const named = authFile ?? variable("REGISTRY_AUTH_FILE");
  if (named !== undefined) return [{ path: named, format: "config", required: true }];

  const runtime = variable("XDG_RUNTIME_DIR");
  const config = variable("XDG_CONFIG_HOME") ?? join(home, ".config");
  const docker = variable("DOCKER_CONFIG") ?? join(home, ".docker");
  const paths = [join(config, "containers/auth.json"), join(docker, "config.json")];
  if (runtime !== undefined) paths.unshift(join(runtime, "containers/auth.json"));
  else if (uid !== undefined) paths.unshift(`/run/containers/${uid}/auth.json`);
  return [
    ...paths.map((path) => ({ path, format: "config", required: false }) as const),
    { path: join(home, ".dockercfg"), format: "dockercfg", required: false },
  ];
}

/**
 * @returns `undefined` if the file does not exist and need not
 * @throws PulleyError `CREDENTIALS_INVALID` if it cannot be read or is not as it must be: with a file left out silently,
 * the registry's refusal would be all that the user sees
 */
export async function readClientFile({ path, format, required }: ClientFile): Promise<DockerConfig | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readSmallFile(path);
  } catch (error) {
    if (isMissing(error) && !required) return undefined;
    if (isPulleyError(error)) throw error;
    const advice = "Check that the file exists and that you may read it, or name another one with --authfile.";
    throw new PulleyError("CREDENTIALS_INVALID", `${path}: cannot be read: ${errorText(error)}`, { advice });
  }
  return format === "config" ? parseDockerConfig(bytes, path) : parseDockercfg(bytes, path);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
