import { BlockList, isIP } from "node:net";
import { isLoopback } from "../image/index.ts";
import { bareHost } from "./addresses.ts";

/**
 * The proxy for an address, in the conventions of Go's httpproxy, which the other programs on a node follow:
 * `HTTPS_PROXY` for https, and not for loopback hosts nor what `NO_PROXY` lists. Plain HTTP goes directly: it is spoken
 * with registries close by.
 */
export function proxyFor(url: URL, environment: NodeJS.ProcessEnv): string | undefined {
  const proxy = environment["HTTPS_PROXY"] || environment["https_proxy"];
  if (url.protocol !== "https:" || !proxy || isLoopback(url.host)) return undefined;
  const exceptions = environment["NO_PROXY"] || environment["no_proxy"] || "";
  if (exceptions.split(",").some((entry) => isExcepted(url, entry.trim().toLowerCase()))) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/** An entry is `*`, an address, a network, or a domain, with or without a port; a domain holds for those under it. */
function isExcepted(url: URL, entry: string): boolean {
  if (entry === "*") return true;
  if (entry === "") return false;
  const host = bareHost(url);
  if (entry.includes("/")) return isInNetwork(host, entry);
  if (isIP(entry.replace(/^\[|\]$/g, "")) !== 0) return host === entry.replace(/^\[|\]$/g, "");
  const [, name = "", port] = /^(.*?)(?::([0-9]+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== (url.port || "443")) return false;
  const domain = name.replace(/^\*?\.|^\[|\]$/g, "");
  return host.endsWith(`.${domain}`) || (host === domain && !/^\*?\./.test(name));
}

function isInNetwork(host: string, network: string): boolean {
  const [address = "", prefix = ""] = network.split("/");
  const family = isIP(host);
  if (family === 0 || isIP(address) !== family || !/^[0-9]{1,3}$/.test(prefix)) return false;
  const bits = Number(prefix);
  if (bits > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(address, bits, type);
  return list.check(host, type);
}
