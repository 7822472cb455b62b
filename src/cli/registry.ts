import { configuredHosts } from "../node/configured-hosts.ts";
import type { HostsFor } from "../node/local-facts.ts";
import { createRegistryClient } from "../registry/client.ts";
import { splitRoots } from "../registry/hosts/folders.ts";
import { openHostsDirectory } from "../registry/hosts/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { printable } from "../support/terminal.ts";
import type { HostsFlags, RegistryFlags } from "./options.ts";
import { paintFor, type Surroundings } from "./surroundings.ts";

/** A client as the command line asks for it. */
export function registryClient({ plainHttp, certDir, hostsDir = "" }: RegistryFlags): RegistryClient {
  return createRegistryClient({
    takesPart: true,
    hosts: openHostsDirectory(splitRoots(hostsDir)),
    ...(plainHttp && { plainHttp }),
    ...(certDir && { certDirs: certDir }),
  });
}

/** Where this machine asks for images, as a fact for decisions. A file that does not count is told of on standard error. */
export function machineHosts({ hostsDir = "" }: HostsFlags, surroundings: Surroundings): HostsFor {
  const { stderr } = surroundings;
  const warning = paintFor(stderr, surroundings)("yellow", "warning:");
  const warn = (message: string) => stderr.write(`${warning} ${printable(message)}\n`);
  return configuredHosts(openHostsDirectory(splitRoots(hostsDir), warn));
}
