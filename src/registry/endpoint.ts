import { type HostSettings, headerProblem, isSameHost, type RegistryHost } from "../hosts/index.ts";
import { isLoopback, type Repository, registryOrigin } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { hasCertificates } from "./certificates.ts";
import type { RegistryOptions } from "./types.ts";

/** A repository and where it is asked for. Plain data: it is handed to worker threads. */
export interface Endpoint {
  /** Host and port as in the image's name, `docker.io`: what certificates and logins are filed under. */
  readonly registry: string;
  /** Path within the registry: `library/nginx`; empty where the registry itself is asked, and nothing in it. */
  readonly path: string;
  /** Scheme, host and port that are really asked: `https://registry-1.docker.io`. */
  readonly origin: string;
  /** Which registry a mirror is asked for, `docker.io`; absent where the registry itself is asked. */
  readonly namespace?: string;
  /** Sent in the header `Via`, where requests are passed on for others. */
  readonly via?: string;
  /** Whether a failure is final, because there is another source to ask. */
  readonly noRetry?: boolean;
  /** Where the registry's API begins, if not at `/v2`. */
  readonly root?: string;
  /** How the host is spoken to, where something is said about that. */
  readonly host?: HostSettings;
  /** The address of the one thing that is asked for, where that is no registry. */
  readonly address?: string;
  /** Whether https is tried first, though the origin is http, because certificates are set up for the host. */
  readonly httpsFirst?: boolean;
}

/**
 * Where a repository is asked for. Plain HTTP is never a fallback: it is spoken with registries that the options name,
 * and with loopback hosts unless there are certificates for them.
 * @throws PulleyError `REGISTRY_UNREACHABLE` for a host that a reference may have, but no address: `127.0.0.1:65536`
 */
export function endpointOf(repository: Repository, options: RegistryOptions): Endpoint {
  const { registry, path } = repository;
  const origin = registryOrigin(registry, speaksPlainHttp(registry, options));
  // Answers are told apart by their origin, so this one is written as a URL has it, however it was typed.
  if (URL.canParse(origin)) return { registry, path, origin: new URL(origin).origin };
  throw new PulleyError("REGISTRY_UNREACHABLE", `${registry} is not a host and port that can be reached`, {
    advice: "Check the host and the port in the image's name.",
  });
}

/**
 * Where a repository is asked for at a mirror. Its certificates are those for its own host.
 * @param mirror base address, with the path that goes before the repository's, if any
 * @throws PulleyError `SOURCE_INVALID`
 */
export function mirrorEndpoint({ registry: namespace, path }: Repository, mirror: string): Endpoint {
  const refuse = (why: string) => new PulleyError("SOURCE_INVALID", `the mirror ${printable(mirror, 200)} ${why}`);
  if (!URL.canParse(mirror)) throw refuse("is not an address");
  const { protocol, host, origin, pathname, username, password, search, hash } = new URL(mirror);
  if (protocol !== "https:" && protocol !== "http:") throw refuse("is not reached by http or https");
  if (username !== "" || password !== "")
    throw new PulleyError("SOURCE_INVALID", `the mirror ${host} is given with a login`);
  if (search !== "" || hash !== "") throw refuse("is given with a query");
  const prefix = pathname.replace(/^\/+|\/+$/g, "");
  const endpoint = { registry: host, path: prefix === "" ? path : `${prefix}/${path}`, origin };
  return host === namespace ? endpoint : { ...endpoint, namespace };
}

/** The address of something in the repository: `manifests/latest`, `blobs/sha256:…`. */
export function repositoryUrl({ path, origin, namespace, address, root = "/v2" }: Endpoint, what: string): URL {
  if (address !== undefined) return new URL(address);
  const url = new URL(`${root}/${path}/${what}`, origin);
  if (namespace !== undefined) url.searchParams.set("ns", namespace);
  return url;
}

export function speaksPlainHttp(registry: string, { plainHttp = [], certDirs = [] }: RegistryOptions): boolean {
  if (plainHttp === true || plainHttp.includes(registry)) return true;
  return isLoopback(registry) && !hasCertificates(registry, certDirs);
}

/**
 * Where a repository is asked for at a host of a `hosts.toml`. A host that is reached by http, but has certificates set
 * up, may speak either, unless its port is that of http (containerd core/remotes/docker/config/hosts.go).
 * @throws PulleyError `SOURCE_INVALID` for a header that cannot be sent
 */
function hostEndpoint(repository: Repository, host: RegistryHost, options: RegistryOptions): Endpoint {
  const { registry: namespace, path } = repository;
  const { settings, root } = host;
  for (const [name, value] of Object.entries(settings.headers)) {
    const problem = headerProblem(name, value);
    if (problem === undefined) continue;
    throw new PulleyError("SOURCE_INVALID", `${host.address}: ${printable(name, 100)} ${problem}`, {
      advice: "Correct the header in the hosts.toml; pulley hosts check shows its place.",
    });
  }
  const known = host.origin === undefined ? endpointOf(repository, options) : { path, origin: host.origin };
  const { protocol, port, host: registry } = new URL(known.origin);
  const asItself = host.own ? { registry: namespace } : { registry };
  const ambiguous = protocol === "http:" && host.tls && port !== "" && port !== "80";
  return {
    ...known,
    ...asItself,
    ...(!isSameHost(host.host, namespace) && { namespace }),
    ...(root !== "/v2" && { root }),
    ...(ambiguous && { httpsFirst: true }),
    host: settings,
  };
}

/**
 * Where a repository is asked for: at a host of a `hosts.toml`, if one is set up under that address, at the mirror, or at
 * the registry itself.
 * @throws PulleyError `REGISTRY_UNREACHABLE`, `SOURCE_INVALID`
 */
export function endpointAt(repository: Repository, mirror: string | undefined, options: RegistryOptions): Endpoint {
  const hosts = options.hosts?.hostsOf(repository.registry)?.hosts ?? [];
  const host = hosts.find(({ own, address }) => (mirror === undefined ? own : !own && address === mirror));
  if (host !== undefined) return hostEndpoint(repository, host, options);
  return mirror === undefined ? endpointOf(repository, options) : mirrorEndpoint(repository, mirror);
}
