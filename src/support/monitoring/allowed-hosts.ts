/**
 * Checks the header `Host` of requests for metrics. A web page that is open on this machine can have its own name
 * resolved to this machine's address (DNS rebinding) and then read what is served there; the browser sends the page's
 * name in that header, never an address.
 */
import { isIP } from "node:net";
import { isLoopback } from "../loopback.ts";

/** Whether the host, `localhost:9419`, is one that is meant; `here` is the address at which the request arrived. */
type IsOwnHost = (host: string | undefined, here: string | undefined) => boolean;

/** Addresses that stand for all of a machine's. */
const everywhere: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export function listensEverywhere(host: string): boolean {
  return isIP(host) !== 0 && everywhere.has(normal(host));
}

/**
 * An address is right where it is the one that is listened on, or the machine is reached from elsewhere, where others may
 * stand for it (a Service's, a port that is forwarded).
 * @param host what is listened on
 * @param names that are the machine's, too
 */
export function allowedHosts(host: string, names: readonly string[]): IsOwnHost {
  const local = isLoopback(isIP(host) === 6 ? `[${host}]` : host);
  const known = new Set([host, ...names].map((name) => withoutDot(name)));
  return (given, here) => {
    // Only programs older than HTTP/1.1 send none, and no browser does.
    if (given === undefined) return true;
    const name = nameOf(given);
    if (name === undefined) return false;
    if (known.has(name) || (isIP(name) === 0 && isLoopback(name))) return true;
    if (isIP(name) === 0) return false;
    return !local || normal(name) === normal(here ?? "") || isLoopback(isIP(name) === 6 ? `[${name}]` : name);
  };
}

/** Without the port, in lower case; `undefined` for what is no host. */
function nameOf(host: string): string | undefined {
  const [, bracketed, bare] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@[\]\s]+))(?::[0-9]{1,5})?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed.toLowerCase() : undefined;
  return bare === undefined ? undefined : withoutDot(bare);
}

function withoutDot(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** One way of writing each address: an IPv4 address may come as `::ffff:127.0.0.1`. */
function normal(address: string): string {
  const bare = address.replace(/%.*$/, "");
  if (isIP(bare) !== 6) return bare;
  const { hostname } = new URL(`http://[${bare}]`);
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (mapped === null) return hostname.slice(1, -1);
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
