import type { Reference } from "../image/reference.ts";
import type { HostsDirectory, RegistryHost } from "../registry/hosts/index.ts";
import type { HostsFor } from "./local-facts.ts";

/** Where this machine asks for images by its `hosts.toml` files, as a fact for the decision. */
export function configuredHosts(directory: HostsDirectory): HostsFor {
  return (reference) => {
    const found = directory.hostsOf(reference.repository.registry);
    if (found === undefined || (!found.listed && found.problem === undefined)) return undefined;
    const asked = found.hosts.filter((host) => isAskedFor(host, reference));
    const sources = [...new Set(asked.map(({ address }) => address))];
    const silent = found.hosts.filter((host) => host.pull && !isAskedFor(host, reference));
    return { sources, because: `${reason(found)}${note(silent)}` };
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

function note(silent: readonly RegistryHost[]): string {
  const addresses = silent.map(({ address }) => address);
  return addresses.length === 0 ? "" : `; ${addresses.join(", ")} may not say what a tag stands for`;
}
