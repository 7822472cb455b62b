/** Registries as docker, podman and skopeo write them in their files of logins, and say them to credential helpers. */
import { parseReference } from "../image/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";

const dockerHub = "docker.io";
/** What a login to Docker Hub is kept under, besides its name. */
const hubHosts: ReadonlySet<string> = new Set([dockerHub, "index.docker.io", "registry-1.docker.io"]);
/** What docker keeps the login to Docker Hub under. */
const hubServer = "https://index.docker.io/v1/";
const scheme = /^https?:\/\//;

/** The host of a location, one for all that mean Docker Hub. */
export function hostOf(location: string): string {
  const [host = ""] = location.replace(scheme, "").split("/", 1);
  return hubHosts.has(host) ? dockerHub : host;
}

/** Docker writes a scheme and an API version, which mean the whole host; podman writes a path in the registry. */
export function pathOf(location: string): string {
  const [, path = ""] = /^[^/]*\/(.*?)\/*$/.exec(location) ?? [];
  return scheme.test(location) || /^v[12]$/.test(path) ? "" : path;
}

/** What docker keeps a registry's login under. */
export function serverOf(registry: string): string {
  return hostOf(registry) === dockerHub ? hubServer : registry;
}

/** What a helper may know a registry's login under: docker's word for it, and podman's. */
export function helperServersOf(registry: string): readonly string[] {
  return hostOf(registry) === dockerHub ? [hubServer, dockerHub] : [registry];
}

export interface NamedServer {
  /** Host and port, as in the names of images: `docker.io`, `registry.acme.io:5000`. */
  readonly registry: string;
  /** A path that stood behind it: docker keeps logins for whole registries. Empty if there was none. */
  readonly path: string;
}

/** Reads what somebody calls a registry: a host, with or without a scheme and a path. @throws PulleyError `USAGE` */
export function parseServer(text: string): NamedServer {
  const refuse = (why: string) =>
    new PulleyError("USAGE", `${withoutLogin(text)} ${why}`, {
      advice: "Name the registry as images' names do, HOST or HOST:PORT; without a name, it is Docker Hub.",
    });
  const bare = text.replace(scheme, "");
  const [host = "", ...segments] = bare.split("/");
  if (bare.includes("@")) throw refuse("has a login in it");
  const registry = hubHosts.has(host) ? dockerHub : host;
  const path = segments.filter((segment) => segment !== "").join("/");
  try {
    // In an image's name, a word without a dot or a port is no host, but a path at Docker Hub.
    if (parseReference(`${registry}/x`).repository.registry === registry) {
      return { registry, path: scheme.test(text) || /^v[12]$/.test(path) ? "" : path };
    }
  } catch (error) {
    if (!isPulleyError(error)) throw error;
  }
  throw refuse("is not the host of a registry");
}

function withoutLogin(text: string): string {
  return text.slice(text.lastIndexOf("@") + 1).slice(0, 200);
}
