/** The logins of a person's machine, as docker, podman and skopeo find them. */
import type { Repository } from "../image/index.ts";
import { Login, type LoginSecret } from "../support/login.ts";
import { type ClientFolders, clientFiles, readClientFile } from "./client-files.ts";
import type { DockerConfig } from "./docker-config.ts";
import { helperServersOf, hostOf, pathOf, serverOf } from "./docker-server.ts";
import { askHelper, type HelperSurroundings } from "./helper.ts";
import type { LoginSource } from "./types.ts";

/**
 * One login at most, as skopeo chooses it: that of the first file which has one for the repository, and in that file
 * the one for the longest path. Hosts are compared as a whole, never in part. Where a file names a credential helper
 * for the host, only the helper speaks for that file. What the login pulls, every pod may use: it stands where a node
 * has its own.
 */
export function clientLogins(folders: ClientFolders, { clock }: Pick<HelperSurroundings, "clock">): LoginSource {
  const surroundings = { environment: folders.environment, clock };
  return {
    logins: async (repository) => {
      for (const file of clientFiles(folders)) {
        const config = await readClientFile(file);
        const login = config && (await loginFrom(config, file.path, repository, surroundings));
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
  surroundings: HelperSurroundings,
): Promise<Login | undefined> {
  const helper = helperFor(config, repository.registry);
  if (helper === undefined) {
    const secret = secretFor(config.logins, repository);
    return secret && new Login(path, secret, { kind: "node" });
  }
  for (const server of helperServersOf(repository.registry)) {
    const secret = await askHelper(helper, server, surroundings);
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
