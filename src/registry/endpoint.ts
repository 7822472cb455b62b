import { isLoopback, registryOrigin } from "../image/origin.ts";
import type { Repository } from "../image/reference.ts";
import { PulleyError } from "../support/errors.ts";
import { hasCertificates } from "./certificates.ts";
import type { RegistryOptions } from "./index.ts";

/** A repository and where it is asked for. Plain data: it is handed to worker threads. */
export interface Endpoint {
  /** Host and port as in the image's name, `docker.io`: what certificates and logins are filed under. */
  readonly registry: string;
  /** Path within the registry: `library/nginx`. */
  readonly path: string;
  /** Scheme, host and port that are really asked: `https://registry-1.docker.io`. */
  readonly origin: string;
}

/**
 * Where a repository is asked for. Plain HTTP is never a fallback: it is spoken with registries that the options name,
 * and with loopback hosts unless there are certificates for them.
 * @throws PulleyError `REGISTRY_UNREACHABLE` for a host that a reference may have, but no address: `127.0.0.1:65536`
 */
export function endpointOf(repository: Repository, options: RegistryOptions): Endpoint {
  const { registry, path } = repository;
  const origin = registryOrigin(registry, speaksPlainHttp(registry, options));
  if (URL.canParse(origin)) return { registry, path, origin };
  throw new PulleyError("REGISTRY_UNREACHABLE", `${registry} is not a host and port that can be reached`, {
    advice: "Check the host and the port in the image's name.",
  });
}

/** The address of something in the repository: `manifests/latest`, `blobs/sha256:…`. */
export function repositoryUrl(endpoint: Endpoint, what: string): URL {
  return new URL(`/v2/${endpoint.path}/${what}`, endpoint.origin);
}

export function speaksPlainHttp(registry: string, { plainHttp = [], certDirs = [] }: RegistryOptions): boolean {
  if (plainHttp === true || plainHttp.includes(registry)) return true;
  return isLoopback(registry) && !hasCertificates(registry, certDirs);
}
