import type { HostsDirectory, RegistryHost } from "../hosts/index.ts";
import type { Reference } from "../image/index.ts";
import type { HostsFor } from "./local-facts.ts";

/** Where this machine asks for images by its `hosts.toml` files, as a fact for the decision. */
export function configuredHosts(directory: HostsDirectory): HostsFor {
  return (reference) => {
    const found = directory.hostsOf(reference.repository.registry);
    if (found === undefined || (!found.listed && found.problem === undefined)) return undefined;
    const asked = found.hosts.filter((host) => isAskedFor(host, reference));
    const sources = [...new Set(asked.map(({ address }) => address))];
    const silent = found.hosts.filter((host) => host.pull && !isAskedFor(host, reference));
    const contentBefore = silentBefore(found.hosts, reference);
    const content = Object.keys(contentBefore).length > 0 ? { contentBefore } : {};
    return { sources, ...content, because: `${reason(found)}${note(silent)}` };
  };
}

/** A tag is only asked of those who may say what it stands for, content of all (containerd core/remotes/docker/resolver.go). */
function isAskedFor({ pull, resolve }: RegistryHost, { digest }: Reference): boolean {
  return pull && (resolve || digest !== undefined);
}

function reason({ from, listed, problem }: { from: string; listed: boolean; problem?: string }): string {
  if (problem === undefined) return `by hosts.toml ${from}`;
  return listed
    ? `for hosts.toml ${from} cannot be read: ${problem}`
    : `for hosts.toml ${from} does not count: ${problem}`;
}

/** Content is asked of the hosts in the order of the file, whoever of them has said what the tag stands for. */
function silentBefore(
  hosts: readonly RegistryHost[],
  reference: Reference,
): Readonly<Record<string, readonly string[]>> {
  const silent: string[] = [];
  const found = new Map<string, readonly string[]>();
  for (const host of hosts) {
    if (isAskedFor(host, reference)) {
      if (silent.length > 0 && !found.has(host.address)) found.set(host.address, [...silent]);
    } else if (host.pull) silent.push(host.address);
  }
  return Object.fromEntries(found);
}

function note(silent: readonly RegistryHost[]): string {
  const addresses = silent.map(({ address }) => address);
  return addresses.length === 0 ? "" : `; ${addresses.join(", ")} may send content, but not say what a tag stands for`;
}
