/**
 * Which addresses are not on the public internet. A public registry has no business sending us to one of them: that is
 * how a server makes its clients ask a cloud's metadata service or a neighbour's admin page (CVE-2026-12566 is one).
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { PulleyError } from "../support/errors.ts";

const notPublic = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  notPublic.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  notPublic.addSubnet(network, prefix, "ipv6");
}

/** Whether an IP address is on the public internet; addresses that embed an IPv4 address are not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  // An IPv4-mapped address is compared with the IPv4 networks by BlockList itself.
  return !notPublic.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** The host of an address without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** Whether every address that a host has is public. A host whose addresses cannot be found counts as public. */
export async function isPublicHost(url: URL): Promise<boolean> {
  const host = bareHost(url);
  if (isIP(host) !== 0) return isPublicAddress(host);
  const addresses = await new Promise<readonly LookupAddress[]>((resolve) => {
    systemLookup(host, { all: true }, (error, found) => resolve(error === null ? found : []));
  });
  return addresses.every(({ address }) => isPublicAddress(address));
}

/**
 * A name lookup for connections that must stay on the public internet. What it returns is what is connected to, so that
 * a name cannot mean one address when it is checked and another when it is used.
 */
export const publicLookup: LookupFunction = (host, options: LookupOptions, callback) => {
  systemLookup(host, { ...options, all: true }, (error, found) => {
    const refused = found?.find(({ address }) => !isPublicAddress(address));
    const first = found?.[0];
    if (error !== null) callback(error, []);
    else if (refused !== undefined) callback(privateAddress(host, refused.address), []);
    else if (options.all) callback(null, found);
    else callback(null, first?.address ?? "", first?.family);
  });
};

/** @throws PulleyError `REDIRECT_REFUSED` for an address, not a name, that is not public */
export function refusePrivateLiteral(url: URL): void {
  const host = bareHost(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw privateAddress(host, host);
}

function privateAddress(host: string, address: string): PulleyError {
  const shown = host === address ? host : `${host} (${address})`;
  return new PulleyError("REDIRECT_REFUSED", `a public registry sends this request to the private address ${shown}`);
}
