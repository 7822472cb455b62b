/**
 * What kind of place an address is, and to which places one may send us. A registry has no business sending us where it
 * could not be reached itself: that is how a server makes its clients ask a cloud's metadata service, a neighbour's
 * admin page or a service of the machine itself (CVE-2026-12566 is one).
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { PulleyError } from "../support/errors.ts";

/** `metadata`: where a cloud tells a machine its secrets; no registry is there. */
export type PlaceKind = "public" | "private" | "linkLocal" | "loopback" | "metadata";

/** The kinds to which one of a kind may send us. */
const allowed: Readonly<Record<PlaceKind, ReadonlySet<PlaceKind>>> = {
  public: new Set(["public"]),
  private: new Set(["public", "private"]),
  linkLocal: new Set(["public", "private", "linkLocal"]),
  loopback: new Set(["public", "private", "loopback"]),
  metadata: new Set(["public"]),
};

type Network = readonly [address: string, prefix: number, family: "ipv4" | "ipv6"];

const networks: readonly (readonly [PlaceKind, readonly Network[]])[] = [
  [
    "metadata",
    [
      ["169.254.169.254", 32, "ipv4"],
      // ECS tasks and EKS pods.
      ["169.254.170.2", 32, "ipv4"],
      ["169.254.170.23", 32, "ipv4"],
      ["fd00:ec2::254", 128, "ipv6"],
      ["fd00:ec2::23", 128, "ipv6"],
      ["fd20:ce::254", 128, "ipv6"],
      // Alibaba, Oracle and Azure.
      ["100.100.100.200", 32, "ipv4"],
      ["192.0.0.192", 32, "ipv4"],
      ["168.63.129.16", 32, "ipv4"],
    ],
  ],
  [
    "loopback",
    [
      ["127.0.0.0", 8, "ipv4"],
      // Connecting to "this network" connects to this machine.
      ["0.0.0.0", 8, "ipv4"],
      ["::", 127, "ipv6"],
    ],
  ],
  [
    "linkLocal",
    [
      ["169.254.0.0", 16, "ipv4"],
      ["fe80::", 10, "ipv6"],
    ],
  ],
  [
    "private",
    [
      ["10.0.0.0", 8, "ipv4"],
      ["100.64.0.0", 10, "ipv4"],
      ["172.16.0.0", 12, "ipv4"],
      ["192.0.0.0", 24, "ipv4"],
      ["192.168.0.0", 16, "ipv4"],
      ["198.18.0.0", 15, "ipv4"],
      ["224.0.0.0", 3, "ipv4"],
      ["64:ff9b:1::", 48, "ipv6"],
      ["fc00::", 7, "ipv6"],
      ["fec0::", 10, "ipv6"],
      ["ff00::", 8, "ipv6"],
    ],
  ],
];

const lists: readonly (readonly [PlaceKind, BlockList])[] = networks.map(([kind, members]) => {
  const list = new BlockList();
  for (const [address, prefix, family] of members) list.addSubnet(address, prefix, family);
  return [kind, list];
});

/** `undefined` for what is no IP address. An IPv6 address that stands for an IPv4 address is what that is. */
export function kindOfAddress(address: string): PlaceKind | undefined {
  const bare = address.replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 0) return undefined;
  const type = family === 6 ? "ipv6" : "ipv4";
  const found = lists.find(([, list]) => list.check(bare, type))?.[0];
  if (found !== undefined || family === 4) return found ?? "public";
  const embedded = embeddedIn(bare);
  return embedded === undefined ? "public" : embedded;
}

/** By the ways of writing an IPv4 address into an IPv6 one; what a translator or tunnel makes of it counts. */
function embeddedIn(address: string): PlaceKind | undefined {
  const groups = groupsOf(address);
  const at = (place: number) => {
    const [high = 0, low = 0] = [groups[place], groups[place + 1]];
    return kindOfAddress([high >> 8, high & 255, low >> 8, low & 255].join("."));
  };
  const begins = (...start: readonly number[]) => start.every((group, place) => groups[place] === group);
  // ::ffff:a.b.c.d, ::ffff:0:a.b.c.d (RFC 2765), and NAT64 (RFC 6052): where there is nothing but IPv6, all of IPv4 is there.
  if (begins(0, 0, 0, 0, 0, 0xffff) || begins(0, 0, 0, 0, 0xffff, 0)) return at(6);
  if (begins(0x64, 0xff9b, 0, 0, 0, 0)) return at(6);
  // ::a.b.c.d and 6to4 are no longer in use: nothing good is there.
  const old = begins(0, 0, 0, 0, 0, 0) ? at(6) : begins(0x2002) ? at(1) : undefined;
  return old === "public" ? "private" : old;
}

/** The eight groups of 16 bits. */
function groupsOf(address: string): readonly number[] {
  const { hostname } = new URL(`http://[${address}]`);
  const [head = "", tail = ""] = hostname.slice(1, -1).split("::");
  const [first, last] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const missing = 8 - (first?.length ?? 0) - (last?.length ?? 0);
  const all = [...(first ?? []), ...Array.from({ length: missing }, () => "0"), ...(last ?? [])];
  return all.map((group) => Number.parseInt(group, 16));
}

/** The host of an address without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/**
 * What kind of place an address of the web leads to, as far as that can be known without going there. A host whose addresses
 * cannot be found counts as public; a name is never taken for this machine's own, for others say what it means.
 */
export async function kindOfHost(url: URL): Promise<PlaceKind> {
  const host = bareHost(url);
  const literal = kindOfAddress(host);
  if (literal !== undefined) return literal;
  const addresses = await addressesOf(host);
  return addresses.every(({ address }) => kindOfAddress(address) === "public") ? "public" : "private";
}

function addressesOf(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve) => {
    systemLookup(host, { all: true }, (error, found) => resolve(error === null ? found : []));
  });
}

/** What holds for who is sent on again: never more than for who was sent first. */
export function narrower(first: PlaceKind | undefined, next: PlaceKind): PlaceKind {
  return first === undefined || allowed[first].has(next) ? next : first;
}

/**
 * A name lookup for connections to where one of a kind sends us. What it returns is what is connected to, so that a name
 * cannot mean one address when it is checked and another when it is used.
 */
export function lookupFor(sentBy: PlaceKind): LookupFunction {
  return (host, options: LookupOptions, callback) => {
    systemLookup(host, { ...options, all: true }, (error, found) => {
      const refused = found?.find(({ address }) => !mayLead(sentBy, address));
      const first = found?.[0];
      if (error !== null) callback(error, []);
      else if (refused !== undefined) callback(refusal(sentBy, host, refused.address), []);
      else if (options.all) callback(null, found);
      else callback(null, first?.address ?? "", first?.family);
    });
  };
}

/** @throws PulleyError `REDIRECT_REFUSED` for an address, not a name, to which one of a kind may not send us */
export function refuseLiteral(sentBy: PlaceKind, url: URL): void {
  const host = bareHost(url);
  if (isIP(host) !== 0 && !mayLead(sentBy, host)) throw refusal(sentBy, host, host);
}

/**
 * For names that a proxy looks up: it may know other addresses than we do, but what is this machine, or on its link, for us,
 * is not asked for there either.
 * @throws PulleyError `REDIRECT_REFUSED`
 */
export async function refuseNearby(sentBy: PlaceKind, url: URL): Promise<void> {
  const host = bareHost(url);
  for (const { address } of isIP(host) === 0 ? await addressesOf(host) : []) {
    if (kindOfAddress(address) !== "private" && !mayLead(sentBy, address)) throw refusal(sentBy, host, address);
  }
}

function mayLead(sentBy: PlaceKind, address: string): boolean {
  const kind = kindOfAddress(address);
  return kind !== undefined && allowed[sentBy].has(kind);
}

const senders: Readonly<Record<PlaceKind, string>> = {
  public: "a public registry",
  private: "a registry in a private network",
  linkLocal: "a registry on this link",
  loopback: "a registry on this machine",
  metadata: "a public registry",
};

const kinds: Readonly<Record<PlaceKind, string>> = {
  public: "the address",
  private: "the private address",
  linkLocal: "the link-local address",
  loopback: "the loopback address",
  metadata: "the address of a cloud's metadata",
};

function refusal(sentBy: PlaceKind, host: string, address: string): PulleyError {
  const shown = host === address ? host : `${host} (${address})`;
  const kind = sentBy === "public" ? "private" : (kindOfAddress(address) ?? "private");
  return new PulleyError("REDIRECT_REFUSED", `${senders[sentBy]} sends this request to ${kinds[kind]} ${shown}`, {
    advice: "Tell who runs the registry; if it is meant, allow the host with --allow-redirect.",
  });
}
