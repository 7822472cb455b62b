/** From registries.conf to hosts.toml where one host is meant, and to a policy for what only that can say. */
import { isLoopback } from "../../image/index.ts";
import type { LeftOut, MirrorEntry, RegistriesConf, RegistryEntry } from "./registries-conf.ts";

export interface Converted {
  readonly files: readonly HostsText[];
  readonly rules: readonly ImportedRule[];
  readonly leftOut: readonly LeftOut[];
}

export interface HostsText {
  /** Its folder: `docker.io`, `registry.acme.io_5000_`. */
  readonly folder: string;
  readonly hosts: readonly HostText[];
  readonly server: HostText;
}

export interface HostText {
  readonly address: string;
  readonly overridePath: boolean;
  /** The certificate is not checked, and plain HTTP is spoken where the host does not speak TLS: what `insecure` means. */
  readonly insecure: boolean;
  readonly digestOnly: boolean;
  /** Host and port, for its certificates. */
  readonly host: string;
}

/** A rule of a policy, as its language writes it. */
export interface ImportedRule {
  readonly name: string;
  readonly match: { readonly images: readonly string[]; readonly pinned?: boolean };
  readonly admit?: "Allow" | "Deny";
  readonly message?: string;
  readonly from?: {
    readonly mirrors: readonly string[];
    readonly origin: "Fallback" | "Never";
    readonly plainHttp?: true;
  };
}

export function convert({ registries, leftOut }: RegistriesConf): Converted {
  const omitted: LeftOut[] = [...leftOut];
  const files: HostsText[] = [];
  const rules: ImportedRule[] = [];
  // The longest prefix that matches counts there; here it is the first rule.
  const inOrder = [...registries].sort((one, other) => other.prefix.length - one.prefix.length);
  const hasBlocked = registries.some(({ blocked }) => blocked);
  for (const entry of inOrder) {
    if (!isExpressible(entry, omitted)) continue;
    const image = pattern(entry.prefix);
    const name = nameOf(entry.prefix);
    if (entry.blocked) {
      rules.push({
        name: `${name}-blocked`,
        match: { images: [image] },
        admit: "Deny",
        message: `${entry.prefix} is blocked.`,
      });
      continue;
    }
    const shadows = hasBlocked && inOrder.some((other) => other.blocked && covers(other.prefix, entry.prefix));
    if (shadows) rules.push({ name: `${name}-not-blocked`, match: { images: [image] }, admit: "Allow" });
    if (entry.mirrors.length === 0 && !entry.insecure && isWhereItSays(entry)) continue;
    if (isHost(entry.prefix) && entry.mirrors.every(({ pulls }) => pulls !== "tag-only")) files.push(hostsText(entry));
    else rules.push(...fromRules(entry, image, name, omitted));
  }
  return { files, rules, leftOut: omitted };
}

function isExpressible({ prefix, source }: RegistryEntry, leftOut: LeftOut[]): boolean {
  const last = prefix.slice(prefix.lastIndexOf("/") + 1);
  if (!prefix.includes("@") && !(prefix.includes("/") && last.includes(":"))) return true;
  leftOut.push({ source, message: `${prefix}: a prefix with a tag or a digest has no counterpart` });
  return false;
}

/** An entry of which nothing follows, but that what a shorter prefix says does not hold for it. */
function isWhereItSays({ prefix, location }: RegistryEntry): boolean {
  return location === "" || location === prefix;
}

function isHost(prefix: string): boolean {
  return !prefix.startsWith("*.") && !prefix.includes("/");
}

function hostsText(entry: RegistryEntry): HostsText {
  const folder = entry.prefix.replace(/:([0-9]+)$/, "_$1_");
  const server = hostText(entry.location, entry.insecure, false);
  const hosts = new Map<string, HostText>();
  for (const { location, insecure, pulls } of entry.mirrors) {
    const host = hostText(location, insecure, pulls === "digest-only");
    // A table stands once in a file: a mirror that is listed twice is asked where it is first, for all that it may.
    const before = hosts.get(host.address);
    hosts.set(
      host.address,
      before === undefined ? host : { ...host, digestOnly: before.digestOnly && host.digestOnly },
    );
  }
  return { folder, hosts: [...hosts.values()], server };
}

/** The rest of a name comes behind the location, and that behind `/v2`: so the path is there to be all of it. */
function hostText(location: string, insecure: boolean, digestOnly: boolean): HostText {
  const { host, path } = split(location);
  const asked = host === "docker.io" ? "registry-1.docker.io" : host;
  const scheme = insecure ? "http" : "https";
  const address = `${scheme}://${asked}${path === "" ? "" : `/v2/${path}`}`;
  return { address, overridePath: path !== "", insecure, digestOnly, host };
}

/** What only a policy can say: prefixes below a host, wildcards, mirrors for tags alone. */
function fromRules(entry: RegistryEntry, image: string, name: string, leftOut: LeftOut[]): readonly ImportedRule[] {
  const moved = !isWhereItSays(entry);
  const last: readonly MirrorEntry[] = moved
    ? [{ location: entry.location, insecure: entry.insecure, pulls: "all", source: entry.source }]
    : [];
  if (!moved && entry.insecure) {
    const message = `${entry.prefix}: insecure below a host, or for a wildcard; give it a hosts.toml of its own, or use --plain-http`;
    leftOut.push({ source: entry.source, message });
  }
  const all = [...entry.mirrors, ...last].flatMap((mirror) => {
    const address = mirrorAddress(entry.prefix, mirror);
    if (address !== undefined) return [{ ...mirror, address }];
    const message = `${mirror.location}: this mirror has other names than ${entry.prefix}, and only a whole host can be renamed`;
    leftOut.push({ source: mirror.source, message });
    return [];
  });
  const rule = (suffix: string, pinned: boolean | undefined, mirrors: typeof all): ImportedRule[] => {
    if (mirrors.length === 0) return [];
    const addresses = mirrors.map(({ address }) => address);
    const exposed = addresses.some(
      (address) => address.startsWith("http://") && !isLoopback(split(address.slice(7)).host),
    );
    const from = {
      mirrors: addresses,
      origin: moved ? "Never" : "Fallback",
      ...(exposed && ({ plainHttp: true } as const)),
    } as const;
    return [{ name: `${name}${suffix}`, match: { images: [image], ...(pinned !== undefined && { pinned }) }, from }];
  };
  if (all.every(({ pulls }) => pulls === "all")) return rule("", undefined, all);
  return [
    ...rule(
      "-by-digest",
      true,
      all.filter(({ pulls }) => pulls !== "tag-only"),
    ),
    ...rule(
      "-by-tag",
      false,
      all.filter(({ pulls }) => pulls !== "digest-only"),
    ),
  ];
}

/**
 * A policy's mirror has a path before the repository's whole path: `undefined` where the prefix is to become something
 * else.
 */
function mirrorAddress(prefix: string, { location, insecure }: MirrorEntry): string | undefined {
  const { host, path } = split(location);
  const below = prefix.startsWith("*.") ? "" : split(prefix).path;
  const scheme = insecure ? "http" : "https";
  const asked = host === "docker.io" ? "registry-1.docker.io" : host;
  const address = (before: string) => `${scheme}://${asked}${before === "" ? "" : `/${before}`}`;
  if (below === "") return address(path);
  if (path === below) return address("");
  return path.endsWith(`/${below}`) ? address(path.slice(0, -below.length - 1)) : undefined;
}

function pattern(prefix: string): string {
  return prefix.includes("/") ? `${prefix}/**` : prefix;
}

function covers(wide: string, narrow: string): boolean {
  if (wide.startsWith("*.")) return split(narrow).host.endsWith(wide.slice(1)) && wide !== narrow;
  return narrow.startsWith(`${wide}/`);
}

function split(location: string): { readonly host: string; readonly path: string } {
  const slash = location.indexOf("/");
  return slash < 0 ? { host: location, path: "" } : { host: location.slice(0, slash), path: location.slice(slash + 1) };
}

/** A name for rules: letters, digits and hyphens. */
function nameOf(prefix: string): string {
  return prefix
    .toLowerCase()
    .replace(/^\*\./, "any-")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
