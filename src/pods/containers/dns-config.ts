/** The DNS configuration of a pod (k8s pkg/kubelet/network/dns). */
import type { PodSpec } from "../../workload/index.ts";
import type { SandboxConfig } from "../container-runtime.ts";

type Dns = NonNullable<SandboxConfig["dns"]>;

/** Whether the pod wants the cluster's DNS. There is none here, so that it gets the host's. */
export function missesClusterDns({ dnsPolicy, hostNetwork }: PodSpec): boolean {
  return dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && !hostNetwork);
}

/** @param host the host's resolv.conf */
export function dnsConfigOf({ dnsPolicy, dnsConfig }: PodSpec, host: string): SandboxConfig["dns"] {
  const { nameservers, searches, options } = dnsConfig;
  const own: Dns = { servers: nameservers, searches, options };
  if (dnsPolicy === "None") return own;
  if (nameservers.length + searches.length + options.length === 0) return undefined;
  const base = parseResolver(host);
  return {
    servers: unique([...base.servers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: unique([...base.options, ...options]),
  };
}

function parseResolver(text: string): Dns {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const valuesOf = (key: string) => lines.flatMap(([name, ...values]) => (name === key ? [values] : []));
  return {
    servers: valuesOf("nameserver").flatMap(([address]) => address ?? []),
    // The last line holds, as in libc.
    searches: valuesOf("search").at(-1) ?? [],
    options: valuesOf("options").flat(),
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
