/** Whom a decision's sources are, and which logins each of them gets. */
import type { LoginSource } from "../credentials/index.ts";
import {
  isLoopback,
  isOrigin,
  parseReference,
  type Reference,
  type Repository,
  registryOrigin,
} from "../image/index.ts";
import type { Login } from "../support/login.ts";

/** One of the places where an image may be asked for. */
export interface PullSource {
  /** As the decision names it, `https://registry-1.docker.io`. */
  readonly address: string;
  /** Whether it is a mirror, and not the registry in the image's name. */
  readonly mirror: boolean;
  /** For this place and no other. */
  readonly logins: readonly Login[];
  /** Mirrors that are asked for content before it, and only for that. */
  readonly content?: readonly ContentMirror[];
  /** Why its logins could not be found out: then it is not asked. */
  readonly failure?: { readonly error: unknown };
}

/** A mirror that is asked for content by its digest. */
export interface ContentMirror {
  readonly address: string;
  /** For this mirror; the first one that is kept for it. */
  readonly login: Login | undefined;
}

/** The same sources, each with the mirrors that are to be asked for content before it. */
export async function withContentMirrors(
  sources: readonly PullSource[],
  contentBefore: Readonly<Record<string, readonly string[]>>,
  { repository }: Reference,
  logins: LoginSource,
): Promise<readonly PullSource[]> {
  return Promise.all(
    sources.map(async (source) => {
      const before = contentBefore[source.address] ?? [];
      if (before.length === 0) return source;
      const mirrors = await Promise.all(before.map((address) => mirrorSource(address, repository, logins)));
      const usable = mirrors.filter(({ failure }) => failure === undefined);
      return { ...source, content: usable.map(({ address, logins: [login] }) => ({ address, login })) };
    }),
  );
}

/**
 * The sources with their logins, in their order; the registry itself, if it is among them, once. A mirror gets
 * the node's own logins for its host: never one of a pod, for a kubelet hands those on for the registry in the name alone,
 * and never one that somebody typed in for the image.
 * @param own the pod's logins for the registry in the image's name; what it throws is passed on
 */
export async function findSources(
  addresses: readonly string[],
  { repository }: Reference,
  own: () => Promise<readonly Login[]>,
  logins: LoginSource,
): Promise<readonly PullSource[]> {
  const isOwn = (address: string) => isOrigin(address, repository.registry);
  const origin = addresses.find(isOwn);
  return Promise.all(
    addresses
      .filter((address) => address === origin || !isOwn(address))
      .map(async (address) =>
        address === origin
          ? { address, mirror: false, logins: await own() }
          : mirrorSource(address, repository, logins),
      ),
  );
}

/** The registry in the image's name. */
export function ownSource({ registry }: Repository, logins: readonly Login[]): PullSource {
  return { address: registryOrigin(registry, isLoopback(registry)), mirror: false, logins };
}

async function mirrorSource(address: string, { path }: Repository, logins: LoginSource): Promise<PullSource> {
  const mirrored = mirroredRepository(address, path);
  if (mirrored === undefined) return { address, mirror: true, logins: [] };
  try {
    const found = await logins.logins(mirrored);
    return { address, mirror: true, logins: found.filter(({ origin }) => origin?.kind === "node") };
  } catch (error) {
    return { address, mirror: true, logins: [], failure: { error } };
  }
}

/**
 * The repository under the mirror's own host: what logins for it are kept under. A host without a dot or a port is a name
 * on Docker Hub to those who look logins up, so there are none for it: its port can be written.
 */
function mirroredRepository(address: string, path: string): Repository | undefined {
  if (!URL.canParse(address)) return undefined;
  const { host, pathname } = new URL(address);
  if (!/[.:]/.test(host)) return undefined;
  const prefix = pathname.replace(/^\/+|\/+$/g, "");
  try {
    const { repository } = parseReference([host, prefix, path].filter((part) => part !== "").join("/"));
    return repository.registry === host ? repository : undefined;
  } catch {
    return undefined;
  }
}
