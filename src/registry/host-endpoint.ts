import { headerProblem, isSameHost, type RegistryHost } from "../hosts/index.ts";
import type { Repository } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/printable.ts";
import { type Endpoint, endpointOf, mirrorEndpoint } from "./endpoint.ts";
import type { RegistryOptions } from "./types.ts";

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
