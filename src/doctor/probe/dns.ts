/** Whether a host's name can be found, asked of the resolver that connections use. */
import { type LookupAddress, lookup } from "node:dns";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { errnoOf } from "../../support/errors.ts";

export type NameLookup =
  /** The host is an address. */
  | { readonly kind: "address" }
  | {
      readonly kind: "found";
      readonly addresses: readonly string[];
      /** The domain behind which it was found, where it is no full name. */
      readonly through: string | undefined;
    }
  | {
      readonly kind: "missing";
      /** `ENOTFOUND`: there is no such name; `EAI_AGAIN`: no name server has answered; or another of the resolver's. */
      readonly code: string;
      readonly resolver: ResolverConfiguration;
    };

export interface Resolver {
  /** The addresses of a name; fails with the code of getaddrinfo(3). */
  lookUp(name: string): Promise<readonly string[]>;
  configuration(): Promise<ResolverConfiguration>;
}

export const systemResolver: Resolver = {
  lookUp: (name) =>
    new Promise((resolve, reject) => {
      lookup(name, { all: true }, (error, found: readonly LookupAddress[]) => {
        if (error === null) resolve(found.map(({ address }) => address));
        else reject(error);
      });
    }),
  configuration: async () => {
    const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
    return parseResolverConfiguration(text.slice(0, 64 * 1024));
  },
};

export async function findName(host: string, resolver: Resolver): Promise<NameLookup> {
  if (isIP(host) !== 0) return { kind: "address" };
  try {
    const addresses = await resolver.lookUp(host);
    return { kind: "found", addresses, through: await searchDomain(host, resolver) };
  } catch (error) {
    return { kind: "missing", code: errnoOf(error) ?? "UNKNOWN", resolver: await resolver.configuration() };
  }
}

/** A name with a dot at its end is looked for as it is, without the search domains. */
async function searchDomain(host: string, resolver: Resolver): Promise<string | undefined> {
  const { search } = await resolver.configuration();
  if (search.length === 0 || host.endsWith(".") || (await exists(`${host}.`, resolver))) return undefined;
  for (const domain of search.slice(0, 6)) if (await exists(`${host}.${domain}.`, resolver)) return domain;
  return undefined;
}

async function exists(name: string, resolver: Resolver): Promise<boolean> {
  return resolver.lookUp(name).then(
    (addresses) => addresses.length > 0,
    () => false,
  );
}

interface ResolverConfiguration {
  readonly servers: readonly string[];
  /** Domains that are tried behind a name. */
  readonly search: readonly string[];
}

/** As the C library reads it: of `search` and `domain` lines the last one counts, and of servers the first three. */
export function parseResolverConfiguration(text: string): ResolverConfiguration {
  const servers: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split("\n").slice(0, 1000)) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined && servers.length < 3) servers.push(values[0]);
    if (keyword === "search") search = values;
    if (keyword === "domain") search = values.slice(0, 1);
  }
  return { servers, search };
}
