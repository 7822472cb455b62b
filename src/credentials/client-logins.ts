/** The logins of a person's machine, as docker, podman and skopeo find them. */
import type { Repository } from "../image/reference.ts";
import { Login, type LoginSecret } from "../support/login.ts";
import { type ClientFolders, clientFiles, readClientFile } from "./client-files.ts";
import type { DockerConfig } from "./docker-config.ts";
import { askHelper, type HelperSurroundings } from "./helper.ts";
import type { LoginSource } from "./index.ts";

const dockerHub = "docker.io";
/** What a login to Docker Hub is kept under, besides its name. */
const hubHosts: ReadonlySet<string> = new Set([dockerHub, "index.docker.io", "registry-1.docker.io"]);
/** What docker, and podman, ask a helper for when they want the login to Docker Hub. */
const hubServers = ["https://index.docker.io/v1/", dockerHub];
const scheme = /^https?:\/\//;

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
  for (const server of serversOf(repository.registry)) {
    const secret = await askHelper(helper, server, surroundings);
    if (secret !== undefined) return new Login(`credential helper ${helper} (${path})`, secret, { kind: "node" });
  }
  return undefined;
}

function helperFor({ credHelpers, credsStore }: DockerConfig, registry: string): string | undefined {
  const own = [...credHelpers].find(([host]) => hostOf(host) === hostOf(registry))?.[1];
  return own === undefined ? credsStore : own || undefined;
}

function serversOf(registry: string): readonly string[] {
  return hostOf(registry) === dockerHub ? hubServers : [registry];
}

function secretFor(logins: ReadonlyMap<string, LoginSecret>, repository: Repository): LoginSecret | undefined {
  let best: { readonly length: number; readonly secret: LoginSecret } | undefined;
  for (const [location, secret] of logins) {
    const path = pathOf(location);
    const matches = hostOf(location) === hostOf(repository.registry) && isWithin(repository.path, path);
    if (matches && path.length > (best?.length ?? -1)) best = { length: path.length, secret };
  }
  return best?.secret;
}

function isWithin(path: string, parent: string): boolean {
  return parent === "" || path === parent || path.startsWith(`${parent}/`);
}

/** The host of a location, one for all that mean Docker Hub. */
function hostOf(location: string): string {
  const [host = ""] = location.replace(scheme, "").split("/", 1);
  return hubHosts.has(host) ? dockerHub : host;
}

/** Docker writes a scheme and an API version, which mean the whole host; podman writes a path in the registry. */
function pathOf(location: string): string {
  const [, path = ""] = /^[^/]*\/(.*?)\/*$/.exec(location) ?? [];
  return scheme.test(location) || /^v[12]$/.test(path) ? "" : path;
}
